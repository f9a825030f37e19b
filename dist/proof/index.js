import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 109:
/***/ ((module, __unused_webpack___webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.a(module, async (__webpack_handle_async_dependencies__, __webpack_async_result__) => { try {
/* harmony import */ var _archive_worker_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(556);
/** Entry of the proof's thread. */

await (0,_archive_worker_js__WEBPACK_IMPORTED_MODULE_0__/* .runArchiveProofWorker */ .k)();

__webpack_async_result__();
} catch(e) { __webpack_async_result__(e); } }, 1);

/***/ }),

/***/ 556:
/***/ ((__unused_webpack_module, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  k: () => (/* binding */ runArchiveProofWorker)
});

;// CONCATENATED MODULE: external "node:worker_threads"
const external_node_worker_threads_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:worker_threads");
;// CONCATENATED MODULE: ./src/domain/errors.ts
/**
 * The one error type of the project. Everything that can go wrong is thrown as a
 * {@link BackupError} and turned into words in one place, `report/failure.ts`.
 */
/**
 * A failure with a code, the operation it struck, a hint and its cause.
 * `message` is one sentence that says what happened; it never holds a secret on purpose,
 * and everything printed is masked again at the edge.
 */
class BackupError extends Error {
    code;
    op;
    hint;
    retryable;
    constructor(code, message, context) {
        super(message, context.cause === undefined ? undefined : { cause: context.cause });
        this.name = 'BackupError';
        this.code = code;
        this.op = context.op;
        this.hint = context.hint;
        this.retryable = context.retryable ?? false;
    }
}
/** All problems of one run's inputs, reported together and before any I/O. */
class InputError extends BackupError {
    problems;
    constructor(problems) {
        const lines = problems.map((problem) => `${problem.input}: ${problem.message}`);
        super('ERR_INPUT', lines.length === 1 ? lines[0] : `${lines.length} inputs are wrong:\n- ${lines.join('\n- ')}`, {
            op: 'read inputs',
            hint: 'Correct the `with:` block of the step.',
        });
        this.problems = problems;
    }
}
/** The error's own sentence, whatever was thrown. */
function messageOf(error) {
    return error instanceof Error ? error.message : String(error);
}

;// CONCATENATED MODULE: external "node:child_process"
const external_node_child_process_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:child_process");
;// CONCATENATED MODULE: external "node:fs"
const external_node_fs_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");
;// CONCATENATED MODULE: ./src/runner/process.ts
/** Child processes without a shell, tied to an AbortSignal, with their standard error kept and watched. */


/** How long a child may take to end after SIGTERM before SIGKILL. The runner itself grants about 7 s. */
const KILL_GRACE_MS = 3_000;
/** The last bytes of standard error that are kept for an error message. */
const STDERR_TAIL_BYTES = 16 * 1024;
/** What `stdbuf` of GNU coreutils preloads into a program; where Debian, Ubuntu and Fedora keep it. */
const STDBUF_LIBRARY = '/usr/libexec/coreutils/libstdbuf.so';
/**
 * Programs of C write to a pipe in pieces of 4 KiB. Measured on a dump of 800 MB that is read back: with pieces of
 * 256 KiB for pg_dump and pg_restore the whole takes 8 % less time.
 */
const LARGE_WRITES = (0,external_node_fs_namespaceObject.existsSync)(STDBUF_LIBRARY)
    ? { LD_PRELOAD: STDBUF_LIBRARY, _STDBUF_O: String(256 * 1024) }
    : {};
/**
 * Starts `file` with `args`, never through a shell. When `signal` aborts, the child is ended;
 * the caller sees that as an ordinary end by signal.
 */
function startProcess(file, args, options) {
    const spawnOptions = {
        env: options.bulkOutput === true ? { ...options.env, ...LARGE_WRITES } : options.env,
        stdio: [options.stdin ?? 'ignore', options.stdout ?? 'ignore', 'pipe'],
        windowsHide: true,
        detached: options.detached === true || options.ownGroup === true,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.account === undefined ? {} : { uid: options.account.uid, gid: options.account.gid }),
    };
    const child = (0,external_node_child_process_namespaceObject.spawn)(file, [...args], spawnOptions);
    const kill = endGently(child, options);
    if (options.signal.aborted)
        kill();
    options.signal.addEventListener('abort', kill, { once: true });
    // What the leader of a group leaves behind would hold its pipes open.
    if (options.ownGroup === true)
        child.once('exit', kill);
    const stderr = watchStderr(child, options.onStderrLine);
    const ended = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => resolve({ code, signal, stderr: stderr() }));
    }).finally(() => options.signal.removeEventListener('abort', kill));
    // Whoever awaits `ended` later still sees the rejection; this only keeps Node from calling it unhandled before that.
    ended.catch(() => undefined);
    return { stdin: child.stdin, stdout: child.stdout, ended, kill };
}
function endGently(child, { endSignal = 'SIGTERM', ownGroup = false }) {
    let asked = false;
    return () => {
        if (asked || (!ownGroup && (child.exitCode !== null || child.signalCode !== null)))
            return;
        asked = true;
        send(child, endSignal, ownGroup);
        const timer = setTimeout(() => send(child, 'SIGKILL', ownGroup), KILL_GRACE_MS);
        // Of a group others may live on when its leader has ended; they hold its pipes open.
        child.once(ownGroup ? 'close' : 'exit', () => clearTimeout(timer));
    };
}
function send(child, signal, ownGroup) {
    if (!ownGroup || child.pid === undefined)
        return void child.kill(signal);
    try {
        process.kill(-child.pid, signal);
    }
    catch (error) {
        // Gone already, or of another user by now, such as behind sudo.
        if (!['ESRCH', 'EPERM'].includes(error.code ?? ''))
            throw error;
    }
}
function watchStderr(child, onLine) {
    let tail = '';
    let partial = '';
    child.stderr?.setEncoding('utf8');
    child.stderr?.on('data', (text) => {
        tail = (tail + text).slice(-STDERR_TAIL_BYTES);
        if (onLine === undefined)
            return;
        const lines = (partial + text).split('\n');
        partial = (lines.pop() ?? '').slice(-STDERR_TAIL_BYTES);
        for (const line of lines)
            onLine(line);
    });
    child.stderr?.on('end', () => {
        if (partial !== '' && onLine !== undefined)
            onLine(partial);
    });
    return () => tail.trim();
}

;// CONCATENATED MODULE: ./src/runner/release.ts
/**
 * Gives the memory of a chunk back at once, if the chunk is all of it. Every read from a pipe allocates its own
 * 64 KiB, of which the garbage collector otherwise lets some 70 MB pile up, because it sees only small objects.
 * Nobody may hold on to the chunk.
 */
function release(chunk) {
    const { buffer } = chunk;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength)
        buffer.transfer(0);
}

;// CONCATENATED MODULE: ./src/domain/relations.ts
/** Names of things inside a database. */

/** A key for maps that no name can forge: names may hold any character but NUL. */
function relationKey(relation) {
    return `${relation.schema}\0${relation.name}`;
}
/** `"schema"."name"`, always quoted: valid SQL whatever the name holds. */
function quoteQualified(relation) {
    return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
}
function quoteIdentifier(identifier) {
    return `"${identifier.replaceAll('"', '""')}"`;
}
/** For people: quotes only where Postgres would need them. */
function displayName(relation) {
    const plain = (part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : quoteIdentifier(part));
    return `${plain(relation.schema)}.${plain(relation.name)}`;
}
/** `a.b, c.d and 12 more` */
function listNames(names, most) {
    return listWords(names.map(displayName), most === undefined ? {} : { most });
}

;// CONCATENATED MODULE: ./src/postgres/archive/client-encoding.ts
/** Turns names of the archive into text, as its `SET client_encoding` says. */
/** Names of Postgres for those encodings whose name for `TextDecoder` is another one. */
const DECODER_NAMES = {
    UTF8: 'utf-8',
    // The driver reads an SQL_ASCII database's names as UTF-8 too, so both sides agree.
    SQL_ASCII: 'utf-8',
    LATIN2: 'iso-8859-2',
    LATIN3: 'iso-8859-3',
    LATIN4: 'iso-8859-4',
    LATIN6: 'iso-8859-10',
    LATIN7: 'iso-8859-13',
    LATIN8: 'iso-8859-14',
    LATIN9: 'iso-8859-15',
    LATIN10: 'iso-8859-16',
    ISO_8859_5: 'iso-8859-5',
    ISO_8859_6: 'iso-8859-6',
    ISO_8859_7: 'iso-8859-7',
    ISO_8859_8: 'iso-8859-8',
    WIN866: 'ibm866',
    WIN874: 'windows-874',
    WIN1250: 'windows-1250',
    WIN1251: 'windows-1251',
    WIN1252: 'windows-1252',
    WIN1253: 'windows-1253',
    WIN1254: 'windows-1254',
    WIN1255: 'windows-1255',
    WIN1256: 'windows-1256',
    WIN1257: 'windows-1257',
    WIN1258: 'windows-1258',
    KOI8R: 'koi8-r',
    KOI8U: 'koi8-u',
    EUC_JP: 'euc-jp',
    EUC_KR: 'euc-kr',
    EUC_CN: 'gb2312',
    LATIN5: 'iso-8859-9',
};
/** Client-only encodings in which a byte of a letter can look like a quote or a backslash. */
const AMBIGUOUS = new Set(['SJIS', 'SHIFT_JIS_2004', 'BIG5', 'GBK', 'GB18030', 'UHC', 'JOHAB']);
/**
 * A decoder for the encoding that the archive was written in. `undefined` for encodings in which SQL cannot be
 * told from text byte by byte; a server never has one of these, only a client that asked for it.
 * Of an encoding that this platform cannot decode, names in ASCII are read and others throw.
 */
function decoderFor(encoding) {
    const name = encoding.toUpperCase();
    if (AMBIGUOUS.has(name))
        return undefined;
    // What the web calls latin1 is Windows-1252; Postgres means ISO 8859-1.
    if (name === 'LATIN1')
        return (bytes) => Buffer.from(bytes).toString('latin1');
    const decoderName = DECODER_NAMES[name];
    if (decoderName === undefined)
        return asciiOnly(encoding);
    const decoder = new TextDecoder(decoderName, { ignoreBOM: true });
    return (bytes) => decoder.decode(bytes);
}
function asciiOnly(encoding) {
    return (bytes) => {
        if (bytes.some((byte) => byte >= 0x80))
            throw new Error(`names in the encoding ${encoding} cannot be read`);
        return Buffer.from(bytes).toString('latin1');
    };
}

;// CONCATENATED MODULE: external "node:crypto"
const external_node_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");
;// CONCATENATED MODULE: ./src/postgres/archive/definitions.ts
/** Collects a digest of every entry's definition: SHA-256 of its statements, whatever their length. */

/** Owners and creation of large objects: one entry each up to major 16, so one digest for all of a type. */
const LARGE_OBJECT_TYPES = new Set(['BLOB', 'BLOB METADATA']);
const LARGE_OBJECT_TAG = /^LARGE OBJECTS? \d+(\.\.\d+)?$/;
/** What stands before the first header belongs to no object; no client writes a definition there. */
const PREAMBLE = { type: 'PREAMBLE', schema: '-', name: '-', isData: false };
/**
 * The digest of an entry covers its statements, each from its first byte to its semicolon and followed by a
 * newline: no comments between them, no blank lines. Statements that only set the session's state count when
 * another statement of the same entry follows, so that those which `pg_restore` writes between entries do not.
 * Entries without such statements (values of sequences, rows) are no definitions. What a name can forge is only
 * the label under which a digest stands: no definition is lost by it.
 */
class Definitions {
    #digests = new Map();
    #shared = new Map();
    #entry = PREAMBLE;
    #hash = (0,external_node_crypto_namespaceObject.createHash)('sha256');
    #hasStatements = false;
    #held = [];
    get entry() {
        return this.#entry;
    }
    /** Closes the entry under way and begins the next. */
    begin(header) {
        this.#close();
        this.#entry = header;
        this.#hash = this.#sharedHash(header) ?? (0,external_node_crypto_namespaceObject.createHash)('sha256');
        this.#hasStatements = false;
        this.#held = [];
    }
    /** A part of a statement, in order. The bytes may be reused afterwards. */
    include(part) {
        for (const held of this.#held)
            this.#hash.update(held).update('\n');
        this.#held = [];
        this.#hash.update(part);
        this.#hasStatements = true;
    }
    /** The statement whose parts were included is complete. */
    endStatement() {
        this.#hash.update('\n');
    }
    /** A whole statement that only sets the session's state. */
    hold(statement) {
        this.#held.push(Uint8Array.from(statement));
    }
    /** All definitions, sorted by type, schema and name. */
    finish() {
        this.#close();
        const shared = [...this.#shared.values()].map(({ header, hash }) => ({ header, digests: [hash.digest('hex')] }));
        return [...this.#digests.values(), ...shared]
            .map(({ header: { type, schema, name }, digests }) => ({ type, schema, name, digests: digests.sort() }))
            .sort((a, b) => compare(a.type, b.type) || compare(a.schema, b.schema) || compare(a.name, b.name));
    }
    #close() {
        const { type, schema, name, isData } = this.#entry;
        if (isData || !this.#hasStatements || isLargeObject(this.#entry))
            return;
        const key = `${type}\0${schema}\0${name}`;
        const known = this.#digests.get(key);
        const digest = this.#hash.digest('hex');
        if (known === undefined)
            this.#digests.set(key, { header: this.#entry, digests: [digest] });
        else
            known.digests.push(digest);
    }
    #sharedHash(header) {
        if (!isLargeObject(header))
            return undefined;
        const known = this.#shared.get(header.type);
        if (known !== undefined)
            return known.hash;
        const hash = (0,external_node_crypto_namespaceObject.createHash)('sha256');
        this.#shared.set(header.type, { header: { ...header, schema: '-', name: 'LARGE OBJECTS' }, hash });
        return hash;
    }
}
function isLargeObject(header) {
    return !header.isData && (LARGE_OBJECT_TYPES.has(header.type) || LARGE_OBJECT_TAG.test(header.name));
}
function compare(left, right) {
    return left < right ? -1 : left > right ? 1 : 0;
}

;// CONCATENATED MODULE: ./src/postgres/archive/entry-header.ts
/** The comment with which `pg_restore` introduces an entry of the archive. */
const HEADER = /^ (Data for |Statistics for )?Name: (.*); Type: ([A-Z][A-Z ]*); Schema: (.*?); Owner: /;
/**
 * `line` is a comment line between statements, behind its `--`. `undefined` when it is no header.
 * `pg_restore` writes line breaks of names as spaces, and a name may itself hold `; Type: …; Schema: …`: the
 * result labels definitions; it never decides which table rows belong to.
 */
function parseEntryHeader(line) {
    const match = HEADER.exec(line);
    if (match === null)
        return undefined;
    const [, prefix, name = '', type = '', schema = ''] = match;
    return { type, schema, name, isData: prefix === 'Data for ' };
}

;// CONCATENATED MODULE: ./src/domain/words.ts
/** Numbers and lists in words, for people. */
const WORDS_LISTED = 10;
const UNITS = (/* unused pure expression or super */ null && (['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']));
/** `1.2 GiB`: binary units, three significant digits at most. */
function formatBytes(bytes) {
    let value = bytes;
    let unit = 0;
    while (value >= 1024 && unit < UNITS.length - 1) {
        value /= 1024;
        unit += 1;
    }
    const digits = unit === 0 || value >= 100 ? 0 : 1;
    return `${value.toFixed(digits)} ${UNITS[unit]}`;
}
/** `4 s`, `3 min 20 s`, `2 h 5 min`. */
function formatDuration(seconds) {
    const whole = Math.round(seconds);
    if (whole < 1)
        return `${Math.round(seconds * 1000)} ms`;
    if (whole < 60)
        return `${whole} s`;
    const minutes = Math.floor(whole / 60);
    if (minutes < 60)
        return `${minutes} min ${whole % 60} s`;
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
/** `2 h 5 min`, `1 day 2 h`, `12 days`: coarser the longer ago. */
function formatAge(seconds) {
    const hours = Math.floor(seconds / 3600);
    if (hours < 24)
        return formatDuration(seconds);
    const days = Math.floor(hours / 24);
    const words = days === 1 ? '1 day' : `${formatCount(days)} days`;
    return days < 7 && hours % 24 > 0 ? `${words} ${hours % 24} h` : words;
}
/** `1,234,567` */
function formatCount(count) {
    return count.toLocaleString('en-US');
}
/** The first `most`, and how many more there are. @param elsewhere where: `in the job summary` */
function fewOf(items, most, elsewhere) {
    const more = items.length - most;
    if (more <= 0)
        return [...items];
    return [...items.slice(0, most), `and ${formatCount(more)} more${elsewhere === undefined ? '' : ` ${elsewhere}`}`];
}
/**
 * `a, b and 12 more`: a list inside of a sentence, which stays short.
 *
 * @param all how many there are, where `words` are examples alone
 */
function words_listWords(words, { most = WORDS_LISTED, all = words.length } = {}) {
    const shown = words.slice(0, most);
    const more = all - shown.length;
    return `${shown.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`;
}
/** A sentence that goes on, with `; …` or in another one: without its full stop. */
function goingOn(sentence) {
    return sentence.replace(/\.$/, '');
}
/** `1 table`, `1,234 tables`. */
function countOf(count, one, many = `${one}s`) {
    return `${formatCount(count)} ${count === 1 ? one : many}`;
}
/** `1 of 1 table`, `2 of 1,234 tables`: the noun goes with `all`. */
function shareOf(share, all, one, many) {
    return `${formatCount(share)} of ${countOf(all, one, many)}`;
}

;// CONCATENATED MODULE: ./src/postgres/digest/rows-xxh64x2.generated.ts
// Generated from assembly/rows-xxh64x2.ts by `npm run build:wasm`. Do not edit.
/** The WebAssembly module of the content digest, base64 (3587 bytes). */
const ROWS_MODULE_BASE64 = 'AGFzbQEAAAABGwZgAAF/YAABfmAAAGACf38AYAABfGACf38BfwMMCwMBAQQCAAAABQACBQQBAQUFBkcOfgFCAAt+AUIAC34BQgALfgFCAAt+AUIAC34BQgALfgFCAAt+AUIAC38BQQALfgFCAAt/AUEAC34BQgALfgFCAAt+AUIACwdSCgVpbnB1dAAHCmlucHV0Qnl0ZXMABgVyZXNldAAEBWVuZGVkAAkEb3BlbgAFBHJvd3MAAwRzdW0wAAIEc3VtMQABBGZlZWQACAZtZW1vcnkCAAqqGgvlBAIDfwR+IwlCH4OnIQMjCSABIABrIgStfCQJIAMEQEEgIANrIgIgBEsEQCADQYAIaiAAIAT8CgAADwsgA0GACGogACAC/AoAAEGICCkDAELP1tO+0ser2UJ+IQVBkAgpAwBCz9bTvtLHq9lCfiEGQZgIKQMAQs/W077Sx6vZQn4hB0GACCkDAELP1tO+0ser2UJ+IggjAHxCH4lCh5Wvr5i23puef34kACAFIwF8Qh+JQoeVr6+Ytt6bnn9+JAEgBiMCfEIfiUKHla+vmLbem55/fiQCIAcjA3xCH4lCh5Wvr5i23puef34kAyAIIwR8Qh+JQoeVr6+Ytt6bnn9+JAQgBSMFfEIfiUKHla+vmLbem55/fiQFIAYjBnxCH4lCh5Wvr5i23puef34kBiAHIwd8Qh+JQoeVr6+Ytt6bnn9+JAcgACACaiEACwNAIABBIGoiAiABTQRAIAApAwhCz9bTvtLHq9lCfiEFIAApAxBCz9bTvtLHq9lCfiEGIAApAxhCz9bTvtLHq9lCfiEHIAApAwBCz9bTvtLHq9lCfiIIIwB8Qh+JQoeVr6+Ytt6bnn9+JAAgBSMBfEIfiUKHla+vmLbem55/fiQBIAYjAnxCH4lCh5Wvr5i23puef34kAiAHIwN8Qh+JQoeVr6+Ytt6bnn9+JAMgCCMEfEIfiUKHla+vmLbem55/fiQEIAUjBXxCH4lCh5Wvr5i23puef34kBSAGIwZ8Qh+JQoeVr6+Ytt6bnn9+JAYgByMHfEIfiUKHla+vmLbem55/fiQHIAIhAAwBCwtBgAggACABIABr/AoAAAsEACMNCwQAIwwLBQAjC7oLGgBBACQIQgAkCUEAJApCACQLQgAkDEIAJA0LBwAjCEEARwsGAEGAgBALBQBBoAgLtA0CBn8MfiAAQaAIaiEEQaAIIQIjCARAQaAIAn8DQCACIARJBEAgAv0ABAD9DAoKCgoKCgoKCgoKCgoKCgr9I/1kIgMEQCACIANoaiICIAQgAiAESRsMAwsgAkEQaiECDAELCyAECyICEAAgAiAERgRAIAAPCyACQQFqIQJBACQIIwlCAlFBACABGwR/QYAILwEAQdzcAEYFQQALBEBBASQKIAJBoAhrDwsQCgsDQCACIARJBEACQCACIQMCfwNAIAMgBEkEQCAD/QAEAP0MCgoKCgoKCgoKCgoKCgoKCv0j/WQiBQRAIAMgBWhqIgMgBCADIARJGwwDCyADQRBqIQMMAQsLIAQLIgUgBEYEQEEBJAhCACQJQtbrgu7q/Yn14AAkAELP1tO+0ser2UIkAUIAJAJC+erQ0OfJoeThACQDQt2Asp2DtOiQfyQEQtbrgu7q/Yn14AAkBUKHla+vmLbem55/JAZCACQHIAIgBBAADAELIAFBACAFIAJrIgZBAkYbBH8gAi8BAEHc3ABGBUEACwRAQQEkCiAFQZ8Iaw8LIAJCxc/ZsvHluuonIQggBkEgTwR+IAIgBmpBIGshB0LW64Lu6v2J9eAAIQhCz9bTvtLHq9lCIQlCACEKQvnq0NDnyaHk4QAhC0LdgLKdg7TokH8hDELW64Lu6v2J9eAAIQ1Ch5Wvr5i23puefyEOQgAhDwNAIAIpAwBCz9bTvtLHq9lCfiIQIAh8Qh+JQoeVr6+Ytt6bnn9+IQggAikDCELP1tO+0ser2UJ+IhEgCXxCH4lCh5Wvr5i23puef34hCSACKQMQQs/W077Sx6vZQn4iEiAKfEIfiUKHla+vmLbem55/fiEKIAIpAxhCz9bTvtLHq9lCfiITIAt8Qh+JQoeVr6+Ytt6bnn9+IQsgDCAQfEIfiUKHla+vmLbem55/fiEMIA0gEXxCH4lCh5Wvr5i23puef34hDSAOIBJ8Qh+JQoeVr6+Ytt6bnn9+IQ4gDyATfEIfiUKHla+vmLbem55/fiEPIAcgAkEgaiICTw0ACyAIQgGJIAlCB4l8IApCDIl8IAtCEol8IAhCz9bTvtLHq9lCfkIfiUKHla+vmLbem55/foVCh5Wvr5i23puef35CnaO16oOxjYr6AH0gCULP1tO+0ser2UJ+Qh+JQoeVr6+Ytt6bnn9+hUKHla+vmLbem55/fkKdo7Xqg7GNivoAfSAKQs/W077Sx6vZQn5CH4lCh5Wvr5i23puef36FQoeVr6+Ytt6bnn9+Qp2jteqDsY2K+gB9IAtCz9bTvtLHq9lCfkIfiUKHla+vmLbem55/foVCh5Wvr5i23puef35CnaO16oOxjYr6AH0hCCAMQgGJIA1CB4l8IA5CDIl8IA9CEol8IAxCz9bTvtLHq9lCfkIfiUKHla+vmLbem55/foVCh5Wvr5i23puef35CnaO16oOxjYr6AH0gDULP1tO+0ser2UJ+Qh+JQoeVr6+Ytt6bnn9+hUKHla+vmLbem55/fkKdo7Xqg7GNivoAfSAOQs/W077Sx6vZQn5CH4lCh5Wvr5i23puef36FQoeVr6+Ytt6bnn9+Qp2jteqDsY2K+gB9IA9Cz9bTvtLHq9lCfkIfiUKHla+vmLbem55/foVCh5Wvr5i23puef35CnaO16oOxjYr6AH0FQszkiOKJnJmGRgshCSAGaiEHIAatIgogCHwhCCAJIAp8IQkDQCACQQhqIgMgB00EQCACKQMAQs/W077Sx6vZQn5CH4lCh5Wvr5i23puef34iCiAIhUIbiUKHla+vmLbem55/fkKdo7Xqg7GNivoAfSEIIAkgCoVCG4lCh5Wvr5i23puef35CnaO16oOxjYr6AH0hCSADIQIMAQsLIAJBBGoiAyAHTQRAIAI1AgBCh5Wvr5i23puef34iCiAIhUIXiULP1tO+0ser2UJ+Qvnz3fGZ9pmrFnwhCCAJIAqFQheJQs/W077Sx6vZQn5C+fPd8Zn2masWfCEJIAMhAgsDQCACIAdJBEAgAjEAAELFz9my8eW66id+IgogCIVCC4lCh5Wvr5i23puef34hCCAJIAqFQguJQoeVr6+Ytt6bnn9+IQkgAkEBaiECDAELCyMMIAggCEIhiIVCz9bTvtLHq9lCfiIIIAhCHYiFQvnz3fGZ9pmrFn4iCCAIQiCIhXwkDCMNIAkgCUIhiIVCz9bTvtLHq9lCfiIIIAhCHYiFQvnz3fGZ9pmrFn4iCCAIQiCIhXwkDSMLQgF8JAsgBUEBaiECDAILCwsgAAsHACMKQQBHC8IHAgN/BX5Cxc/ZsvHluuonIQMjCUIgWgR+IwAiA0IBiSMBIgRCB4l8IwIiBUIMiXwjAyIGQhKJfCADQs/W077Sx6vZQn5CH4lCh5Wvr5i23puef36FQoeVr6+Ytt6bnn9+Qp2jteqDsY2K+gB9IARCz9bTvtLHq9lCfkIfiUKHla+vmLbem55/foVCh5Wvr5i23puef35CnaO16oOxjYr6AH0gBULP1tO+0ser2UJ+Qh+JQoeVr6+Ytt6bnn9+hUKHla+vmLbem55/fkKdo7Xqg7GNivoAfSAGQs/W077Sx6vZQn5CH4lCh5Wvr5i23puef36FQoeVr6+Ytt6bnn9+Qp2jteqDsY2K+gB9IQMjBCIFQgGJIwUiBkIHiXwjBiIHQgyJfCMHIgRCEol8IAVCz9bTvtLHq9lCfkIfiUKHla+vmLbem55/foVCh5Wvr5i23puef35CnaO16oOxjYr6AH0gBkLP1tO+0ser2UJ+Qh+JQoeVr6+Ytt6bnn9+hUKHla+vmLbem55/fkKdo7Xqg7GNivoAfSAHQs/W077Sx6vZQn5CH4lCh5Wvr5i23puef36FQoeVr6+Ytt6bnn9+Qp2jteqDsY2K+gB9IARCz9bTvtLHq9lCfkIfiUKHla+vmLbem55/foVCh5Wvr5i23puef35CnaO16oOxjYr6AH0FQszkiOKJnJmGRgsjCUIfg6dBgAhqIQIgAyMJfCEDIwl8IQRBgAghAANAIABBCGoiASACTQRAIAApAwBCz9bTvtLHq9lCfkIfiUKHla+vmLbem55/fiIFIAOFQhuJQoeVr6+Ytt6bnn9+Qp2jteqDsY2K+gB9IQMgBCAFhUIbiUKHla+vmLbem55/fkKdo7Xqg7GNivoAfSEEIAEhAAwBCwsgAEEEaiIBIAJNBEAgADUCAEKHla+vmLbem55/fiIFIAOFQheJQs/W077Sx6vZQn5C+fPd8Zn2masWfCEDIAQgBYVCF4lCz9bTvtLHq9lCfkL5893xmfaZqxZ8IQQgASEACwNAIAAgAkkEQCAAMQAAQsXP2bLx5brqJ34iBSADhUILiUKHla+vmLbem55/fiEDIAQgBYVCC4lCh5Wvr5i23puef34hBCAAQQFqIQAMAQsLIwwgAyADQiGIhULP1tO+0ser2UJ+IgMgA0IdiIVC+fPd8Zn2masWfiIDIANCIIiFfCQMIw0gBCAEQiGIhULP1tO+0ser2UJ+IgMgA0IdiIVC+fPd8Zn2masWfiIDIANCIIiFfCQNIwtCAXwkCws=';

;// CONCATENATED MODULE: ./src/postgres/digest/rows-digester.ts


/** Bytes of the line `\.` with its newline. */
const TERMINATOR_BYTES = 3;
let compiled;
function instantiate() {
    compiled ??= new WebAssembly.Module(Buffer.from(ROWS_MODULE_BASE64, 'base64'));
    return new WebAssembly.Instance(compiled).exports;
}
/**
 * Digests the rows of one table after the other in constant memory (about 320 KiB an instance), however long
 * a row is and however the bytes are cut. One instance serves one stream at a time.
 */
class RowsDigester {
    #module = instantiate();
    #input;
    #bytes = 0;
    #awaitsTerminator = false;
    constructor() {
        this.#input = new Uint8Array(this.#module.memory.buffer, this.#module.input(), this.#module.inputBytes());
    }
    /** True once {@link feed} has read the terminator line. */
    get ended() {
        return this.#module.ended() === 1;
    }
    /**
     * Reads a COPY block of a script from `bytes[from]` on, up to and with its terminator line `\.`.
     * Returns the offset behind that line, or `bytes.length` when the block goes on in the next chunk.
     * Must not be called again once {@link ended}, before a {@link reset}.
     */
    feed(bytes, from) {
        this.#awaitsTerminator = true;
        return this.#read(bytes, from, 1);
    }
    /** Reads what `COPY … TO STDOUT` sent: rows with their newlines, no terminator line. Rows may be cut anywhere. */
    feedRows(bytes) {
        this.#read(bytes, 0, 0);
    }
    #read(bytes, from, terminated) {
        let at = from;
        while (at < bytes.length && !this.ended) {
            const size = Math.min(bytes.length - at, this.#input.length);
            this.#input.set(size === bytes.length ? bytes : bytes.subarray(at, at + size));
            const read = this.#module.feed(size, terminated);
            at += read;
            this.#bytes += read;
        }
        return at;
    }
    /**
     * The digest of all rows since the last {@link reset}. Throws `ERR_NOT_PROVEN` when the last row has no
     * newline, or when a block of a script was read whose terminator has not come.
     */
    finish() {
        if (this.#module.open() === 1 || (this.#awaitsTerminator && !this.ended)) {
            throw new BackupError('ERR_NOT_PROVEN', 'The rows of a table end in the middle', {
                op: 'digest rows',
                hint: 'The stream was cut. Run the backup again; nothing was published.',
            });
        }
        const { rows, sum0, sum1 } = this.#module;
        return {
            rows: rows(),
            digest: hexOf(sum0()) + hexOf(sum1()),
            bytes: this.#bytes - (this.ended ? TERMINATOR_BYTES : 0),
        };
    }
    /** Makes it ready for the next table. */
    reset() {
        this.#module.reset();
        this.#bytes = 0;
        this.#awaitsTerminator = false;
    }
}
function hexOf(sum) {
    return BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
}

;// CONCATENATED MODULE: ./src/postgres/archive/not-proven.ts

/** The archive, or what `pg_restore` made of it, is not what an archive must be. `offset` counts bytes of plain SQL. */
function notProven(what, offset) {
    return new BackupError('ERR_NOT_PROVEN', `${what} (byte ${offset} of the archive's SQL)`, {
        op: 'read the archive back',
        hint: 'Nothing in this archive counts as proven. Run the backup again; if it fails at the same place, report the message with the versions of server and client.',
    });
}

;// CONCATENATED MODULE: ./src/postgres/archive/large-objects.ts
/** Large objects of an archive: `lo_open`, `lowrite` and `lo_close` between the entries' comments. */




const CREATE = /^SELECT pg_catalog\.lo_create\('(\d+)'\);$/;
const OPEN = /^SELECT pg_catalog\.lo_open\('(\d+)', \d+\);$/;
const CLOSE = /^SELECT pg_catalog\.lo_close\(0\);$/;
/** The second backslash is there when `standard_conforming_strings` is off. */
const WRITE = /^SELECT pg_catalog\.lowrite\(0, '\\\\?x/;
const WRITE_END = "');";
/** Takes the statements about large objects and digests each object as a row `oid TAB sha256`. */
class LargeObjects {
    #rows = new RowsDigester();
    #current;
    #count = 0;
    #bytes = 0;
    #created = new OidTally();
    #written = new OidTally();
    /**
     * Takes `statement` when it is one of `lo_create`, `lo_open`, `lowrite`, `lo_close`; else returns false.
     * Throws `ERR_NOT_PROVEN` when it cannot be taken apart or comes out of turn.
     */
    take(statement, offset) {
        const head = statement.toString('latin1', 0, 128);
        if (!head.startsWith('SELECT pg_catalog.lo'))
            return false;
        const write = WRITE.exec(head);
        if (write !== null)
            this.#write(statement, write[0].length, offset);
        else if (!this.#control(head, offset))
            return false;
        return true;
    }
    #control(head, offset) {
        const created = CREATE.exec(head)?.[1];
        if (created !== undefined) {
            this.#created.add(created);
            return true;
        }
        const opened = OPEN.exec(head)?.[1];
        if (opened !== undefined) {
            if (this.#current !== undefined)
                throw notProven(`Large object ${this.#current.oid} does not end`, offset);
            this.#current = { oid: opened, hash: (0,external_node_crypto_namespaceObject.createHash)('sha256') };
            return true;
        }
        if (CLOSE.test(head)) {
            this.#close(offset);
            return true;
        }
        if (/^SELECT pg_catalog\.(lo_|lowrite)/.test(head)) {
            throw notProven(`A statement about large objects cannot be taken apart: ${head.slice(0, 80)}`, offset);
        }
        return false;
    }
    #write(statement, from, offset) {
        const current = this.#current;
        if (current === undefined)
            throw notProven('Bytes of a large object come before its number', offset);
        const end = statement.length - WRITE_END.length;
        const bytes = Buffer.from(statement.toString('latin1', from, end), 'hex');
        if (bytes.length * 2 !== end - from || statement.toString('latin1', end) !== WRITE_END) {
            throw notProven(`Bytes of large object ${current.oid} are not hexadecimal`, offset);
        }
        current.hash.update(bytes);
        this.#bytes += bytes.length;
    }
    #close(offset) {
        const current = this.#current;
        if (current === undefined)
            throw notProven('A large object ends that did not begin', offset);
        this.#rows.feedRows(Buffer.from(`${current.oid}\t${current.hash.digest('hex')}\n`, 'latin1'));
        this.#written.add(current.oid);
        this.#count += 1;
        this.#current = undefined;
    }
    /** Throws `ERR_NOT_PROVEN` when an object is open, or when not exactly those that were created were written. */
    finish(offset) {
        if (this.#current !== undefined)
            throw notProven(`Large object ${this.#current.oid} does not end`, offset);
        if (!this.#created.isEmpty && !this.#created.equals(this.#written)) {
            throw notProven(`The archive creates ${countOf(this.#created.count, 'large object')} and holds the bytes of ${formatCount(this.#written.count)}`, offset);
        }
        return { count: this.#count, bytes: this.#bytes, digest: this.#rows.finish().digest };
    }
}
/** Compares two sets of oids that may be too large to hold: their number and two sums. */
class OidTally {
    count = 0;
    #sum = 0n;
    #squares = 0n;
    get isEmpty() {
        return this.count === 0;
    }
    add(oid) {
        const value = BigInt(oid);
        this.count += 1;
        this.#sum += value;
        this.#squares += value * value;
    }
    equals(other) {
        return this.count === other.count && this.#sum === other.#sum && this.#squares === other.#squares;
    }
}

;// CONCATENATED MODULE: ./src/postgres/archive/sql-bytes.ts
/** The bytes of SQL text that decide where a statement ends. All are ASCII. */
const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const DOLLAR = 0x24;
const QUOTE = 0x27;
const sql_bytes_OPEN = 0x28;
const sql_bytes_CLOSE = 0x29;
const STAR = 0x2a;
const DASH = 0x2d;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
/** Letters, digits, `_`, `$` and everything beyond ASCII. */
const IN_WORD = Uint8Array.from({ length: 256 }, (_, byte) => byte >= 0x80 || /[A-Za-z0-9_$]/.test(String.fromCharCode(byte)) ? 1 : 0);
/** What Postgres takes for white space. */
function isSpace(byte) {
    return byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN);
}

;// CONCATENATED MODULE: ./src/postgres/archive/dollar-quote.ts
/** Dollar quotes: `$tag$ … $tag$`. */

/** A tag of a length that no client writes is none. */
const MAX_TAG_BYTES = 1024;
/** One dollar quote, fed in pieces cut anywhere. */
class DollarQuote {
    #delimiter = [];
    #matched = 0;
    /** A dollar sign was read. */
    begin() {
        this.#delimiter = [DOLLAR];
        this.#matched = 0;
    }
    /** What the next byte behind the first dollar sign makes of it; a `parameter` is a number such as `$1`. */
    tagByte(byte) {
        const isDigit = byte >= 0x30 && byte <= 0x39;
        if (this.#delimiter.length === 1 && isDigit)
            return 'parameter';
        if (IN_WORD[byte] !== 1 || this.#delimiter.length > MAX_TAG_BYTES)
            return 'neither';
        this.#delimiter.push(byte);
        return byte === DOLLAR ? 'body' : 'tag';
    }
    /** The offset behind the closing delimiter; `undefined` when the body goes on in the next chunk. */
    endOfBody(bytes, from) {
        let at = from;
        while (at < bytes.length) {
            if (this.#matched === 0) {
                const found = bytes.indexOf(DOLLAR, at);
                if (found === -1)
                    return undefined;
                this.#matched = 1;
                at = found + 1;
                continue;
            }
            const byte = bytes[at];
            at += 1;
            // A dollar sign stands only at both ends of the delimiter, so after a mismatch it can only begin anew.
            if (byte !== this.#delimiter[this.#matched])
                this.#matched = byte === DOLLAR ? 1 : 0;
            else
                this.#matched += 1;
            if (this.#matched === this.#delimiter.length)
                return at;
        }
        return undefined;
    }
}

;// CONCATENATED MODULE: ./src/postgres/archive/word-tracker.ts
/** Which words a statement is made of, as far as its end depends on them. */
/** Longer words are none of those that matter here. */
const MAX_WORD_BYTES = 12;
const ROUTINE = /^create (or replace )?(function|procedure)\b/;
/**
 * Follows the words of one statement outside of strings, quoted identifiers and comments, to know when a semicolon
 * belongs to the body of an SQL-standard routine: `CREATE FUNCTION … BEGIN ATOMIC …; …; END;`.
 * `CASE` and `END` are reserved words, so that no unquoted name can be one; `BEGIN` is not, hence the pair.
 */
class WordTracker {
    #word = '';
    #previous = '';
    #head = [];
    #blocks = 0;
    #afterString = false;
    /** A new statement. */
    begin() {
        this.#word = '';
        this.#previous = '';
        this.#head = [];
        this.#blocks = 0;
        this.#afterString = false;
    }
    get insideRoutineBody() {
        return this.#blocks > 0;
    }
    /** The last token was a string. */
    get afterString() {
        return this.#afterString;
    }
    /** One more byte of the present word. */
    byte(byte) {
        if (this.#word.length <= MAX_WORD_BYTES)
            this.#word += String.fromCharCode(byte);
    }
    /** The present word has ended. Returns it in lower case, cut when it is a long one. */
    end(parentheses) {
        const word = this.#word.toLowerCase();
        this.#word = '';
        if (this.#head.length < 4)
            this.#head.push(word);
        if (this.#blocks > 0) {
            if (word === 'case')
                this.#blocks += 1;
            if (word === 'end')
                this.#blocks -= 1;
        }
        else if (word === 'atomic' && this.#previous === 'begin' && parentheses === 0 && this.#isRoutine()) {
            this.#blocks = 1;
        }
        this.#previous = word;
        this.#afterString = false;
        return word;
    }
    string() {
        this.#previous = '';
        this.#afterString = true;
    }
    /** A token that is neither a word nor a string. */
    other() {
        this.#previous = '';
        this.#afterString = false;
    }
    #isRoutine() {
        return ROUTINE.test(this.#head.join(' '));
    }
}

;// CONCATENATED MODULE: ./src/postgres/archive/sql-lexer.ts
/**
 * Finds the ends of statements in the plain output of `pg_restore`, byte by byte as psql would, so that nothing
 * inside a string, an identifier, a comment or a function body can pass for a statement, a COPY block or a header.
 * Works on ASCII bytes alone: right for every encoding that a server can have (client-only ones such as SJIS are
 * refused by the reader). Keeps no text: statement bytes go to the sink as they come.
 */




/** The longest comment line or meta-command that is kept. Headers are names and argument lists: far shorter. */
const MAX_LINE_BYTES = 64 * 1024;
const DESCRIPTION = {
    between: 'nothing',
    code: 'a statement',
    word: 'a statement',
    dash: 'a statement',
    slash: 'a statement',
    'line-comment': 'a comment',
    'block-comment': 'a comment',
    'meta-command': 'a meta-command',
    string: 'a string',
    'string-escape': 'a string',
    identifier: 'a quoted identifier',
    'dollar-tag': 'a dollar-quoted string',
    'dollar-body': 'a dollar-quoted string',
};
class SqlLexer {
    /** `standard_conforming_strings`: when off, a backslash escapes in every string, not in `E'…'` alone. */
    standardStrings = true;
    #event = 'none';
    #statementBytes;
    #words = new WordTracker();
    #dollarQuote = new DollarQuote();
    #line = [];
    #state = 'between';
    #inStatement = false;
    #parentheses = 0;
    #escapes = false;
    #commentDepth = 0;
    #commentByte = 0;
    #base = 0;
    /** `statementBytes` gets every byte of every statement, from its first one to its semicolon, in order. */
    constructor(statementBytes) {
        this.#statementBytes = statementBytes;
    }
    get event() {
        return this.#event;
    }
    /** The line of the last `comment` (behind its `--`) or `meta-command` event, without the newline. */
    get line() {
        return Buffer.from(this.#line);
    }
    /**
     * Reads from `bytes[from]` on, up to the end of a statement, of a comment line between statements or of a
     * meta-command (then {@link event} says which), else to the end of `bytes`. Returns where it stopped.
     * `base` is the offset of `bytes[0]` in the whole input, for error messages.
     */
    feed(bytes, from, base) {
        this.#event = 'none';
        this.#base = base;
        let start = from;
        let at = from;
        while (at < bytes.length && this.event === 'none') {
            const wasInside = this.#inStatement;
            at = this.#step(bytes, at);
            if (!wasInside && this.#inStatement)
                start = at;
        }
        if (this.#inStatement && at > start)
            this.#statementBytes(bytes.subarray(start, at));
        if (this.event === 'statement')
            this.#inStatement = false;
        return at;
    }
    /** Throws `ERR_NOT_PROVEN` when the input ends anywhere but between statements. */
    end(offset) {
        if (this.#state !== 'between')
            throw notProven(`The input ends inside ${DESCRIPTION[this.#state]}`, offset);
    }
    #step(bytes, at) {
        switch (this.#state) {
            case 'between':
                return this.#between(bytes, at);
            case 'code':
                return this.#code(bytes, at);
            case 'word':
                return this.#word(bytes, at);
            case 'dash':
                return this.#dash(bytes, at);
            case 'slash':
                return this.#slash(bytes, at);
            case 'line-comment':
            case 'meta-command':
                return this.#restOfLine(bytes, at);
            case 'block-comment':
                return this.#blockComment(bytes, at);
            case 'string':
                return this.#string(bytes, at);
            case 'string-escape':
                this.#state = 'string';
                return at + 1;
            case 'identifier':
                return this.#untilByte(bytes, at, DOUBLE_QUOTE);
            case 'dollar-tag':
                return this.#dollarTag(bytes, at);
            case 'dollar-body':
                return this.#dollarBody(bytes, at);
        }
    }
    #between(bytes, from) {
        for (let at = from; at < bytes.length; at += 1) {
            const byte = bytes[at];
            if (isSpace(byte) || byte === SEMICOLON)
                continue;
            if (byte === DASH || byte === SLASH || byte === BACKSLASH) {
                this.#line.length = 0;
                this.#state = byte === DASH ? 'dash' : byte === SLASH ? 'slash' : 'meta-command';
                return at + 1;
            }
            this.#inStatement = true;
            this.#parentheses = 0;
            this.#words.begin();
            this.#state = 'code';
            return at;
        }
        return bytes.length;
    }
    #code(bytes, from) {
        for (let at = from; at < bytes.length; at += 1) {
            const byte = bytes[at];
            if (isSpace(byte))
                continue;
            if (IN_WORD[byte] === 1 && byte !== DOLLAR) {
                this.#state = 'word';
                return at;
            }
            if (byte === DASH || byte === SLASH) {
                this.#state = byte === DASH ? 'dash' : 'slash';
                return at + 1;
            }
            if (byte === QUOTE)
                return this.#openString(at, '');
            this.#words.other();
            switch (byte) {
                case DOUBLE_QUOTE:
                    this.#state = 'identifier';
                    return at + 1;
                case DOLLAR:
                    this.#dollarQuote.begin();
                    this.#state = 'dollar-tag';
                    return at + 1;
                case sql_bytes_OPEN:
                    this.#parentheses += 1;
                    break;
                case sql_bytes_CLOSE:
                    this.#parentheses -= 1;
                    if (this.#parentheses < 0)
                        throw this.#error('A parenthesis closes that was never opened', at);
                    break;
                case BACKSLASH:
                    throw this.#error('A backslash stands outside of any string', at);
                case SEMICOLON:
                    if (this.#parentheses > 0 || this.#words.insideRoutineBody)
                        break;
                    this.#state = 'between';
                    this.#event = 'statement';
                    return at + 1;
            }
        }
        return bytes.length;
    }
    #word(bytes, from) {
        let at = from;
        while (at < bytes.length && IN_WORD[bytes[at]] === 1) {
            this.#words.byte(bytes[at]);
            at += 1;
        }
        if (at === bytes.length)
            return at;
        const word = this.#words.end(this.#parentheses);
        this.#state = 'code';
        // `E'…'`: the prefix and the quote touch each other.
        return bytes[at] === QUOTE ? this.#openString(at, word) : at;
    }
    #openString(at, prefix) {
        // `''` inside a string and a string that goes on in the next line keep the kind of the part before.
        if (!this.#words.afterString) {
            const bits = prefix === 'b' || prefix === 'x';
            this.#escapes = prefix === 'e' || (!this.standardStrings && !bits);
        }
        this.#words.string();
        this.#state = 'string';
        return at + 1;
    }
    #string(bytes, from) {
        if (!this.#escapes)
            return this.#untilByte(bytes, from, QUOTE);
        for (let at = from; at < bytes.length; at += 1) {
            const byte = bytes[at];
            if (byte === QUOTE)
                this.#state = 'code';
            else if (byte === BACKSLASH)
                this.#state = 'string-escape';
            else
                continue;
            return at + 1;
        }
        return bytes.length;
    }
    #untilByte(bytes, from, closing) {
        const found = bytes.indexOf(closing, from);
        if (found === -1)
            return bytes.length;
        this.#state = 'code';
        return found + 1;
    }
    #dash(bytes, at) {
        if (bytes[at] === DASH) {
            this.#state = 'line-comment';
            return at + 1;
        }
        return this.#notAComment(at);
    }
    #slash(bytes, at) {
        if (bytes[at] === STAR) {
            this.#state = 'block-comment';
            this.#commentDepth = 1;
            this.#commentByte = 0;
            return at + 1;
        }
        return this.#notAComment(at);
    }
    #notAComment(at) {
        if (!this.#inStatement)
            throw this.#error('A statement begins with an operator', at);
        this.#words.other();
        this.#state = 'code';
        return at;
    }
    #restOfLine(bytes, from) {
        const newline = bytes.indexOf(NEWLINE, from);
        const end = newline === -1 ? bytes.length : newline;
        if (!this.#inStatement) {
            const room = MAX_LINE_BYTES - this.#line.length;
            for (let at = from; at < Math.min(end, from + room); at += 1)
                this.#line.push(bytes[at]);
        }
        if (newline === -1)
            return end;
        if (!this.#inStatement)
            this.#event = this.#state === 'line-comment' ? 'comment' : 'meta-command';
        this.#state = this.#inStatement ? 'code' : 'between';
        return newline + 1;
    }
    #blockComment(bytes, from) {
        for (let at = from; at < bytes.length; at += 1) {
            const byte = bytes[at];
            const pair = (this.#commentByte === STAR && byte === SLASH) || (this.#commentByte === SLASH && byte === STAR);
            this.#commentByte = pair ? 0 : byte;
            if (!pair)
                continue;
            this.#commentDepth += byte === STAR ? 1 : -1;
            if (this.#commentDepth > 0)
                continue;
            this.#state = this.#inStatement ? 'code' : 'between';
            return at + 1;
        }
        return bytes.length;
    }
    #dollarTag(bytes, at) {
        const meaning = this.#dollarQuote.tagByte(bytes[at]);
        if (meaning === 'neither')
            throw this.#error('A dollar sign opens neither a string nor a parameter', at);
        if (meaning === 'parameter')
            this.#state = 'word';
        if (meaning === 'body')
            this.#state = 'dollar-body';
        return meaning === 'parameter' ? at : at + 1;
    }
    #dollarBody(bytes, from) {
        const end = this.#dollarQuote.endOfBody(bytes, from);
        if (end !== undefined)
            this.#state = 'code';
        return end ?? bytes.length;
    }
    #error(what, at) {
        return notProven(what, this.#base + at);
    }
}

;// CONCATENATED MODULE: ./src/postgres/archive/statement-text.ts
/** Keeps the beginning of the statement under way; of most statements that is all of it. */
/**
 * Holds the longest COPY statement (1,600 columns, every name 63 bytes, each of them a doubled quote: 208 KB)
 * and the longest `lowrite` (16 KiB in hexadecimal).
 */
const MAX_HEAD_BYTES = 512 * 1024;
const FIRST_BYTES = 64 * 1024;
class StatementText {
    #buffer = Buffer.allocUnsafe(FIRST_BYTES);
    #length = 0;
    #isLong = false;
    /** Longer than can be kept: {@link head} is a beginning only. */
    get isLong() {
        return this.#isLong;
    }
    /** Valid until the next statement begins. */
    get head() {
        return this.#buffer.subarray(0, this.#length);
    }
    clear() {
        this.#length = 0;
        this.#isLong = false;
    }
    /** Appends `part` if it still fits, else marks the statement as long and returns false. */
    append(part) {
        const needed = this.#length + part.length;
        if (this.#isLong || needed > MAX_HEAD_BYTES) {
            this.#isLong = true;
            return false;
        }
        if (needed > this.#buffer.length) {
            const larger = Buffer.allocUnsafe(Math.min(MAX_HEAD_BYTES, Math.max(needed, this.#buffer.length * 2)));
            larger.set(this.head);
            this.#buffer = larger;
        }
        this.#buffer.set(part, this.#length);
        this.#length = needed;
        return true;
    }
}

;// CONCATENATED MODULE: ./src/postgres/archive/sql-tokens.ts
/** Takes apart the text of one statement that the lexer has already found the end of. */
const sql_tokens_SPACE = /[ \t\n\v\f\r]+|--[^\n]*(?:\n|$)/y;
const WORD = /[A-Za-z0-9_$\u0080-\u{10ffff}]+/uy;
const IDENTIFIER = /"([^"]*(?:""[^"]*)*)"/y;
const PLAIN_STRING = /'([^']*(?:''[^']*)*)'/y;
const ESCAPE_STRING = /'([^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*)'/y;
/** A pattern that matches at one place only. */
class Cursor {
    text;
    at = 0;
    constructor(text) {
        this.text = text;
    }
    take(pattern) {
        pattern.lastIndex = this.at;
        const found = pattern.exec(this.text);
        if (found !== null)
            this.at = pattern.lastIndex;
        return found;
    }
}
/**
 * The tokens of `text` one after the other, up to its end or to the first thing that is cut off there. Good for
 * the statements that the reader takes apart (COPY, setval, SET, the beginnings of CREATE and ALTER): knows no
 * dollar quotes.
 */
function* tokensOf(text, standardStrings) {
    const cursor = new Cursor(text);
    const string = standardStrings ? PLAIN_STRING : ESCAPE_STRING;
    while (cursor.at < text.length) {
        if (cursor.take(sql_tokens_SPACE) !== null)
            continue;
        const word = cursor.take(WORD);
        const identifier = word === null ? cursor.take(IDENTIFIER) : null;
        const literal = word === null && identifier === null ? cursor.take(string) : null;
        if (word !== null)
            yield { kind: 'word', text: word[0] };
        else if (identifier !== null)
            yield { kind: 'identifier', text: (identifier[1] ?? '').replaceAll('""', '"') };
        else if (literal !== null)
            yield { kind: 'string', text: unescaped(literal[1] ?? '', standardStrings) };
        else {
            const symbol = text[cursor.at];
            if (symbol === '"' || symbol === "'")
                return;
            cursor.at += 1;
            yield { kind: 'symbol', text: symbol };
        }
    }
}
function unescaped(body, standardStrings) {
    return standardStrings
        ? body.replaceAll("''", "'")
        : body.replace(/''|\\([\s\S])/g, (_, byte) => byte ?? "'");
}
/** Reads tokens from the left. Every method that does not find what it asks for leaves the position alone. */
class TokenReader {
    #source;
    #tokens = [];
    #at = 0;
    /** Takes `text` apart only as far as it is read. */
    constructor(text, standardStrings) {
        this.#source = tokensOf(text, standardStrings);
    }
    get atEnd() {
        return this.#peek() === undefined;
    }
    #peek(ahead = 0) {
        const index = this.#at + ahead;
        while (this.#tokens.length <= index) {
            const { value } = this.#source.next();
            if (value === undefined)
                return undefined;
            this.#tokens.push(value);
        }
        return this.#tokens[index];
    }
    /** Takes these keywords, all or none. */
    words(...words) {
        const found = words.every((word, index) => {
            const token = this.#peek(index);
            return token?.kind === 'word' && token.text.toLowerCase() === word;
        });
        if (found)
            this.#at += words.length;
        return found;
    }
    symbol(symbol) {
        const token = this.#peek();
        const found = token?.kind === 'symbol' && token.text === symbol;
        if (found)
            this.#at += 1;
        return found;
    }
    /** A name, quoted or not. */
    name() {
        const token = this.#peek();
        if (token?.kind !== 'word' && token?.kind !== 'identifier')
            return undefined;
        this.#at += 1;
        return token.text;
    }
    string() {
        const token = this.#peek();
        if (token?.kind !== 'string')
            return undefined;
        this.#at += 1;
        return token.text;
    }
    /** `schema.name`. */
    qualifiedName() {
        const start = this.#at;
        const schema = this.name();
        const name = schema !== undefined && this.symbol('.') ? this.name() : undefined;
        if (schema !== undefined && name !== undefined)
            return { schema, name };
        this.#at = start;
        return undefined;
    }
    /** Goes behind the first occurrence of these keywords, if there is one. */
    skipPast(...words) {
        const start = this.#at;
        while (!this.atEnd) {
            if (this.words(...words))
                return true;
            this.#at += 1;
        }
        this.#at = start;
        return false;
    }
}

;// CONCATENATED MODULE: ./src/postgres/archive/statements.ts

/** `undefined` when the statement cannot be taken apart. */
function parseCopy(text, standardStrings) {
    const reader = new TokenReader(text, standardStrings);
    if (!reader.words('copy'))
        return undefined;
    const table = reader.qualifiedName();
    if (table === undefined)
        return undefined;
    const columns = [];
    if (reader.symbol('(')) {
        do {
            const column = reader.name();
            if (column === undefined)
                return undefined;
            columns.push(column);
        } while (reader.symbol(','));
        if (!reader.symbol(')'))
            return undefined;
    }
    const complete = reader.words('from', 'stdin') && reader.symbol(';') && reader.atEnd;
    return complete ? { table, columns } : undefined;
}
/** `SELECT pg_catalog.setval('schema.name', 42, true);`, `undefined` when it cannot be taken apart. */
function parseSetval(text, standardStrings) {
    const reader = new TokenReader(text, standardStrings);
    const opens = reader.words('select', 'pg_catalog') && reader.symbol('.') && reader.words('setval') && reader.symbol('(');
    const literal = opens ? reader.string() : undefined;
    if (literal === undefined || !reader.symbol(','))
        return undefined;
    const nameReader = new TokenReader(literal, true);
    const sequence = nameReader.qualifiedName();
    const sign = reader.symbol('-') ? '-' : '';
    const digits = reader.name();
    if (sequence === undefined || !nameReader.atEnd || digits === undefined || !/^\d+$/.test(digits))
        return undefined;
    if (!reader.symbol(','))
        return undefined;
    const isCalled = reader.words('true');
    if (!isCalled && !reader.words('false'))
        return undefined;
    if (!reader.symbol(')') || !reader.symbol(';') || !reader.atEnd)
        return undefined;
    return { ...sequence, lastValue: sign + digits, isCalled };
}
/** `SET name = value;` with one plain value: the value, else `undefined`. */
function parseSet(text, name) {
    const reader = new TokenReader(text, true);
    if (!reader.words('set', name))
        return undefined;
    if (!reader.symbol('=') && !reader.words('to'))
        return undefined;
    return reader.string() ?? reader.name();
}
/** Takes the beginning of a CREATE statement; the rest may be cut off. */
function parseCreatedRelation(beginning) {
    const reader = new TokenReader(beginning, true);
    if (!reader.words('create'))
        return undefined;
    reader.words('or', 'replace');
    reader.words('unlogged');
    const kind = relationKind(reader);
    if (kind === undefined)
        return undefined;
    reader.words('if', 'not', 'exists');
    const name = reader.qualifiedName();
    return name === undefined ? undefined : { ...name, kind };
}
function relationKind(reader) {
    if (reader.words('table'))
        return 'table';
    if (reader.words('foreign', 'table'))
        return 'foreign-table';
    if (reader.words('view') || reader.words('recursive', 'view'))
        return 'view';
    if (reader.words('materialized', 'view'))
        return 'materialized-view';
    if (reader.words('sequence'))
        return 'sequence';
    return undefined;
}
/** `ALTER TABLE … ADD GENERATED … AS IDENTITY (SEQUENCE NAME schema.name …`; the rest may be cut off. */
function parseIdentitySequence(beginning) {
    if (!beginning.includes('ADD GENERATED'))
        return undefined;
    const reader = new TokenReader(beginning, true);
    if (!reader.words('alter') || !reader.skipPast('add', 'generated') || !reader.skipPast('identity'))
        return undefined;
    if (!reader.symbol('(') || !reader.words('sequence', 'name'))
        return undefined;
    const name = reader.qualifiedName();
    return name === undefined ? undefined : { ...name, kind: 'sequence' };
}
/** `CREATE EXTENSION IF NOT EXISTS name …`: the name. */
function parseExtension(text) {
    const reader = new TokenReader(text, true);
    if (!reader.words('create', 'extension'))
        return undefined;
    reader.words('if', 'not', 'exists');
    return reader.name();
}

;// CONCATENATED MODULE: ./src/postgres/archive-reader.ts










const archive_reader_NEWLINE = 0x0a;
/** Enough for the name in a CREATE or ALTER statement: five parts of 63 bytes, doubled quotes and the words between them. */
const BEGINNING_BYTES = 2048;
const STATE_CHANGE = /^(SET|RESET) |^SELECT pg_catalog\.set_config\(/;
const LAST_LINE = ' PostgreSQL database dump complete';
/** pg_dump's remark on a partition whose rows must go in through the root: hash partitions by an enum. */
const VIA_ROOT = ' load via partition root ';
const META_COMMAND = /^(un)?restrict /;
/** Statements that must be read whole; no client writes them longer than can be kept. */
const NEVER_LONG = /^(COPY|SET|RESET|INSERT) |^SELECT pg_catalog\.(lo|set)/;
const SHOWN_BYTES = 120;
/** Definitions may be of any size; rows too. Memory grows with the number of objects alone. */
class ArchiveReader {
    #lexer = new SqlLexer((part) => this.#statementPart(part));
    #statement = new StatementText();
    #definitions = new Definitions();
    #largeObjects = new LargeObjects();
    #rows = new RowsDigester();
    #tables = new Map();
    #sequences = new Map();
    #relations = new Map();
    #extensions = new Set();
    #decode = decoderFor('UTF8');
    #mode = 'sql';
    #copy;
    #viaRoot = false;
    #complete = false;
    #offset = 0;
    /** Reads the next bytes, cut anywhere. Throws `ERR_NOT_PROVEN` for whatever cannot be taken apart. */
    write(chunk) {
        const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        let at = 0;
        while (at < bytes.length) {
            if (this.#mode === 'rows')
                at = this.#readRows(bytes, at);
            else if (this.#mode === 'sql')
                at = this.#readSql(bytes, at);
            else
                at = this.#readLineEnd(bytes, at);
        }
        this.#offset += bytes.length;
    }
    /** What was read. Throws `ERR_NOT_PROVEN` when the input ends before the archive does. */
    end() {
        if (this.#copy !== undefined) {
            throw notProven(`The input ends inside the rows of ${displayName(this.#copy.table)}`, this.#offset);
        }
        this.#lexer.end(this.#offset);
        if (!this.#complete)
            throw notProven("The input ends before pg_restore's closing line", this.#offset);
        return {
            tables: [...this.#tables.values()],
            sequences: [...this.#sequences.values()],
            largeObjects: this.#largeObjects.finish(this.#offset),
            objects: this.#definitions.finish(),
            relations: [...this.#relations.values()],
            extensions: [...this.#extensions],
            plainBytes: this.#offset,
        };
    }
    #readRows(bytes, from) {
        const at = this.#rows.feed(bytes, from);
        if (!this.#rows.ended || this.#copy === undefined)
            return at;
        const { rows, digest, bytes: size } = this.#rows.finish();
        const { table, columns } = this.#copy;
        this.#tables.set(relationKey(table), { ...table, columns, rows, digest, bytes: size });
        this.#copy = undefined;
        this.#mode = 'sql';
        return at;
    }
    /** psql ignores the rest of the line behind `FROM stdin;`; no client writes anything there. */
    #readLineEnd(bytes, at) {
        if (bytes[at] !== archive_reader_NEWLINE)
            throw notProven('A COPY statement is not the end of its line', this.#offset + at);
        this.#rows.reset();
        this.#mode = 'rows';
        return at + 1;
    }
    #readSql(bytes, from) {
        const at = this.#lexer.feed(bytes, from, this.#offset);
        const offset = this.#offset + at;
        if (this.#lexer.event === 'statement') {
            this.#endStatement(offset);
            this.#statement.clear();
        }
        if (this.#lexer.event === 'comment')
            this.#comment(this.#text(this.#lexer.line, offset));
        if (this.#lexer.event === 'meta-command') {
            const line = this.#lexer.line.toString('latin1');
            if (!META_COMMAND.test(line))
                throw notProven(`Unknown meta-command \\${line.slice(0, SHOWN_BYTES)}`, offset);
        }
        return at;
    }
    #comment(line) {
        const header = parseEntryHeader(line);
        if (header !== undefined) {
            this.#definitions.begin(header);
            this.#viaRoot = false;
        }
        else if (line.startsWith(VIA_ROOT))
            this.#viaRoot = true;
        else if (line === LAST_LINE)
            this.#complete = true;
    }
    #statementPart(part) {
        const wasLong = this.#statement.isLong;
        if (this.#statement.append(part))
            return;
        if (!wasLong)
            this.#definitions.include(this.#statement.head);
        this.#definitions.include(part);
    }
    #endStatement(offset) {
        const beginning = this.#statement.head.toString('latin1', 0, 40);
        if (this.#statement.isLong)
            this.#endLongStatement(beginning, offset);
        else if (STATE_CHANGE.test(beginning)) {
            if (beginning.startsWith('SET '))
                this.#setting(offset);
            this.#definitions.hold(this.#statement.head);
        }
        else if (beginning.startsWith('COPY '))
            this.#beginCopy(offset);
        else if (beginning.startsWith('SELECT pg_catalog.setval('))
            this.#setval(offset);
        else if (this.#definitions.entry.isData && beginning.startsWith('INSERT '))
            throw this.#unreadable(offset);
        else {
            this.#largeObjects.take(this.#statement.head, offset);
            this.#name(beginning, offset);
            this.#definitions.include(this.#statement.head);
            this.#definitions.endStatement();
        }
    }
    /** Its bytes are in the digest already. */
    #endLongStatement(beginning, offset) {
        if (NEVER_LONG.test(beginning))
            throw this.#unreadable(offset);
        this.#name(beginning, offset);
        this.#definitions.endStatement();
    }
    #setting(offset) {
        const text = this.#statement.head.toString('latin1');
        const standardStrings = parseSet(text, 'standard_conforming_strings');
        if (standardStrings !== undefined)
            this.#lexer.standardStrings = standardStrings.toLowerCase() === 'on';
        const encoding = parseSet(text, 'client_encoding');
        if (encoding === undefined)
            return;
        const decode = decoderFor(encoding);
        if (decode === undefined) {
            throw notProven(`The archive is written in ${encoding}, in which SQL cannot be told from text`, offset);
        }
        this.#decode = decode;
    }
    #beginCopy(offset) {
        const copy = parseCopy(this.#text(this.#statement.head, offset), this.#lexer.standardStrings);
        if (copy === undefined)
            throw this.#unreadable(offset);
        const table = this.#viaRoot ? this.#partition(offset) : copy.table;
        if (this.#tables.has(relationKey(table))) {
            throw notProven(`The archive holds the rows of ${displayName(table)} twice`, offset);
        }
        this.#copy = { table, columns: copy.columns };
        this.#viaRoot = false;
        this.#mode = 'before-rows';
    }
    /**
     * The COPY statement names the root; only the header names the partition whose rows these are, with line
     * breaks written as spaces. The archive's own definitions, which came before, have the name as it is.
     */
    #partition(offset) {
        const { schema, name } = this.#definitions.entry;
        const alike = [...this.#relations.values()].filter((relation) => oneLine(relation.schema) === schema && oneLine(relation.name) === name);
        if (alike.length > 1)
            throw notProven(`Several tables could be the partition ${schema}.${name}`, offset);
        return { schema: alike[0]?.schema ?? schema, name: alike[0]?.name ?? name };
    }
    #setval(offset) {
        const sequence = parseSetval(this.#text(this.#statement.head, offset), this.#lexer.standardStrings);
        if (sequence === undefined)
            throw this.#unreadable(offset);
        const key = relationKey(sequence);
        if (this.#sequences.has(key)) {
            throw notProven(`The archive holds the value of ${displayName(sequence)} twice`, offset);
        }
        this.#sequences.set(key, sequence);
    }
    /** Notes what a CREATE statement creates. */
    #name(beginning, offset) {
        const isCreate = beginning.startsWith('CREATE ');
        if (!isCreate && !beginning.startsWith('ALTER TABLE '))
            return;
        const text = this.#text(this.#statement.head.subarray(0, BEGINNING_BYTES), offset);
        const extension = isCreate ? parseExtension(text) : undefined;
        if (extension !== undefined)
            this.#extensions.add(extension);
        const relation = isCreate ? parseCreatedRelation(text) : parseIdentitySequence(text);
        if (relation !== undefined)
            this.#relations.set(relationKey(relation), relation);
    }
    #text(bytes, offset) {
        try {
            return this.#decode(bytes);
        }
        catch (error) {
            throw notProven(error instanceof Error ? error.message : String(error), offset);
        }
    }
    #unreadable(offset) {
        const beginning = this.#statement.head.toString('latin1', 0, SHOWN_BYTES).replaceAll(/\s+/g, ' ');
        return notProven(`A statement cannot be taken apart: ${beginning}`, offset);
    }
}
function oneLine(name) {
    return name.replaceAll(/[\r\n]/g, ' ');
}

;// CONCATENATED MODULE: ./src/postgres/archive/worker.ts





/** Serves one archive and ends the thread. To be called once, on the thread that `startArchiveProof` started. */
async function runArchiveProofWorker() {
    const port = external_node_worker_threads_namespaceObject.parentPort;
    if (port === null)
        throw new Error('this is not a thread');
    try {
        await proveArchive(port, external_node_worker_threads_namespaceObject.workerData);
    }
    catch (error) {
        post(port, { kind: 'failed', error: asThrown(error) });
    }
    finally {
        port.close();
    }
}
async function proveArchive(port, { pgRestorePath, env }) {
    const stop = new AbortController();
    const child = startProcess(pgRestorePath, ['--format=custom', '--file=-'], {
        env,
        signal: stop.signal,
        stdin: 'pipe',
        stdout: 'pipe',
        bulkOutput: true,
    });
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null)
        throw new Error('the pipes of pg_restore are missing');
    const archive = new ArchiveInput(stdin, port);
    port.on('message', (message) => {
        if (message.kind === 'bytes')
            archive.write(message.slab, message.length);
        else if (message.kind === 'end')
            stdin.end();
        else
            stop.abort();
    });
    const reader = new ArchiveReader();
    const unreadable = await readAll(stdout, reader);
    if (unreadable !== undefined)
        stop.abort();
    const end = await child.ended.catch((error) => {
        throw failed(`pg_restore could not be started: ${messageOf(error)}`);
    });
    if (unreadable !== undefined)
        throw unreadable;
    checkEnd(end, archive);
    post(port, { kind: 'report', report: reader.end() });
}
/** Reads plain SQL to its end. Returns what the reader threw, if it did: then `pg_restore` has nobody to write to. */
function readAll(stdout, reader) {
    return new Promise((resolve) => {
        stdout.on('data', (chunk) => {
            try {
                reader.write(chunk);
                release(chunk);
            }
            catch (error) {
                stdout.destroy();
                resolve(error);
            }
        });
        stdout.once('error', resolve);
        stdout.once('close', () => resolve(undefined));
    });
}
/** The writing end towards `pg_restore`. */
class ArchiveInput {
    #stdin;
    #port;
    /** `pg_restore` stopped reading before the archive's end. */
    wasCut = false;
    constructor(stdin, port) {
        this.#stdin = stdin;
        this.#port = port;
        stdin.on('error', () => {
            this.wasCut = true;
        });
    }
    write(slab, length) {
        // Also called back after an error: the other thread must never wait for a slab that was lost.
        this.#stdin.write(new Uint8Array(slab, 0, length), () => post(this.#port, { kind: 'slab', slab }, [slab]));
    }
}
function checkEnd(end, archive) {
    const said = end.stderr === '' ? '' : `: ${end.stderr}`;
    if (end.signal !== null)
        throw failed(`pg_restore was ended by ${end.signal}${said}`);
    if (end.code !== 0)
        throw failed(`pg_restore ended with exit code ${end.code}${said}`);
    if (/^pg_restore: /m.test(end.stderr))
        throw failed(`pg_restore warned${said}`);
    if (archive.wasCut)
        throw failed('pg_restore ended before it had read the whole archive');
}
function failed(message) {
    return new BackupError('ERR_NOT_PROVEN', message, {
        op: 'read the archive back',
        hint: 'The archive cannot be decoded to its end, so it may not be restorable. Run the backup again; if it happens again, look at the disk and memory of the runner.',
    });
}
function asThrown(error) {
    if (error instanceof BackupError) {
        return { code: error.code, message: error.message, op: error.op, hint: error.hint };
    }
    const hint = 'This is a defect of the action. Please report it with this message.';
    return { code: 'ERR_INTERNAL', message: messageOf(error), op: 'read the archive back', hint };
}
function post(port, message, transfer = []) {
    port.postMessage(message, transfer);
}


/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/async module */
/******/ (() => {
/******/ 	var webpackQueues = typeof Symbol === "function" ? Symbol("webpack queues") : "__webpack_queues__";
/******/ 	var webpackExports = typeof Symbol === "function" ? Symbol("webpack exports") : "__webpack_exports__";
/******/ 	var webpackError = typeof Symbol === "function" ? Symbol("webpack error") : "__webpack_error__";
/******/ 	var resolveQueue = (queue) => {
/******/ 		if(queue && queue.d < 1) {
/******/ 			queue.d = 1;
/******/ 			queue.forEach((fn) => (fn.r--));
/******/ 			queue.forEach((fn) => (fn.r-- ? fn.r++ : fn()));
/******/ 		}
/******/ 	}
/******/ 	var wrapDeps = (deps) => (deps.map((dep) => {
/******/ 		if(dep !== null && typeof dep === "object") {
/******/ 			if(dep[webpackQueues]) return dep;
/******/ 			if(dep.then) {
/******/ 				var queue = [];
/******/ 				queue.d = 0;
/******/ 				dep.then((r) => {
/******/ 					obj[webpackExports] = r;
/******/ 					resolveQueue(queue);
/******/ 				}, (e) => {
/******/ 					obj[webpackError] = e;
/******/ 					resolveQueue(queue);
/******/ 				});
/******/ 				var obj = {};
/******/ 				obj[webpackQueues] = (fn) => (fn(queue));
/******/ 				return obj;
/******/ 			}
/******/ 		}
/******/ 		var ret = {};
/******/ 		ret[webpackQueues] = x => {};
/******/ 		ret[webpackExports] = dep;
/******/ 		return ret;
/******/ 	}));
/******/ 	__nccwpck_require__.a = (module, body, hasAwait) => {
/******/ 		var queue;
/******/ 		hasAwait && ((queue = []).d = -1);
/******/ 		var depQueues = new Set();
/******/ 		var exports = module.exports;
/******/ 		var currentDeps;
/******/ 		var outerResolve;
/******/ 		var reject;
/******/ 		var promise = new Promise((resolve, rej) => {
/******/ 			reject = rej;
/******/ 			outerResolve = resolve;
/******/ 		});
/******/ 		promise[webpackExports] = exports;
/******/ 		promise[webpackQueues] = (fn) => (queue && fn(queue), depQueues.forEach(fn), promise["catch"](x => {}));
/******/ 		module.exports = promise;
/******/ 		body((deps) => {
/******/ 			currentDeps = wrapDeps(deps);
/******/ 			var fn;
/******/ 			var getResult = () => (currentDeps.map((d) => {
/******/ 				if(d[webpackError]) throw d[webpackError];
/******/ 				return d[webpackExports];
/******/ 			}))
/******/ 			var promise = new Promise((resolve) => {
/******/ 				fn = () => (resolve(getResult));
/******/ 				fn.r = 0;
/******/ 				var fnQueue = (q) => (q !== queue && !depQueues.has(q) && (depQueues.add(q), q && !q.d && (fn.r++, q.push(fn))));
/******/ 				currentDeps.map((dep) => (dep[webpackQueues](fnQueue)));
/******/ 			});
/******/ 			return fn.r ? promise : getResult();
/******/ 		}, (err) => ((err ? reject(promise[webpackError] = err) : outerResolve(exports)), resolveQueue(queue)));
/******/ 		queue && queue.d < 0 && (queue.d = 0);
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/************************************************************************/
/******/ 
/******/ // startup
/******/ // Load entry module and return exports
/******/ // This entry module used 'module' so it can't be inlined
/******/ var __webpack_exports__ = __nccwpck_require__(109);
/******/ __webpack_exports__ = await __webpack_exports__;
/******/ 
