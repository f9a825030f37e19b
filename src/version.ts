/** The version of this action, as package.json has it; recorded in every backup. */
export const VERSION = '1.0.0';
