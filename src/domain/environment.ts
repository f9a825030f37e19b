/** An environment as the caller sees it; secrets are looked up in it and nowhere else. */
export type Environment = Readonly<Record<string, string | undefined>>;
