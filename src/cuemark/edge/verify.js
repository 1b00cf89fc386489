// Judges media requests: Common Access Tokens exactly as cuemark.kit.cat does, then the path.
//
// Nothing may throw out of a handler: nginx would write the request, token included, into its
// error log. The token keys come from a file that the agent rewrites; it is read again once a
// second. A verdict is remembered under the keys' mark, so that it does not outlive them.

import fs from 'fs';
import crypto from 'crypto';

const KEYS_FRESH_MS = 1000;
const VERDICT_MS = 300000;
const HEAD = 'd83dd18443a10105a104';
const REQUEST = /^\/t\/([A-Za-z0-9_-]{1,1024})(\/.*)$/;
const MEDIA =
    /^\/([a-z]{2,6}_[0-9a-z]{26})\/((?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\/){0,3}[A-Za-z0-9_][A-Za-z0-9._-]{0,63})$/;
const MARKED = /^(.*\/)([abx])([1-9][0-9]{0,8})\.m4s$/;
const SUB = 2, AUD = 3, EXP = 4, IAT = 6, CATU = 312, URI_PATH = 3, MATCH_PREFIX = 1;
const WMPATTERN = 304;

// $verdict: 'ok', or the status to refuse with. Sets the variables of the media on 'ok'.
function verdict(r) {
    try {
        return judge(r);
    } catch (e) {
        return '401';
    }
}

function judge(r) {
    const request = REQUEST.exec(r.variables.request_uri.split('?')[0]);
    if (request === null) {
        return '401';
    }
    const mark = keysMark(r);
    if (mark === '') {
        return '503';
    }
    const claims = remembered(mark, request[1]) || verified(r, mark, request[1]);
    if (claims === null || claims.exp * 1000 <= Date.now()) {
        return '401';
    }
    if (!request[2].startsWith(claims.prefix)) {
        return '403';
    }
    const media = MEDIA.exec(request[2]);
    if (media === null) {
        return '404';
    }
    const path = variantOf(media[2], claims.variants);
    if (path === '') {
        return '404';
    }
    r.variables.media_version = media[1];
    r.variables.media_path = path;
    r.variables.media_named = media[2];
    return 'ok';
}

// The file behind a path: of segment x7 that is a7 or b7, as the session's seventh bit says. Nobody
// gets a variant by its own name, or without a row of bits.
function variantOf(path, variants) {
    const marked = MARKED.exec(path);
    if (marked === null) {
        return path;
    }
    if (marked[2] !== 'x' || variants === '') {
        return '';
    }
    const bit = (Number(marked[3]) - 1) % (variants.length * 4);
    const four = parseInt(variants[bit >> 2], 16);
    return marked[1] + ((four >> (3 - bit % 4)) & 1 ? 'b' : 'a') + marked[3] + '.m4s';
}

function remembered(mark, token) {
    const line = ngx.shared.verdicts.get(mark + token);
    if (line === undefined) {
        return null;
    }
    const exp = line.indexOf(' '), variants = line.indexOf(' ', exp + 1);
    return {
        exp: Number(line.slice(0, exp)),
        variants: line.slice(exp + 1, variants),
        prefix: line.slice(variants + 1),
    };
}

function verified(r, mark, token) {
    let claims = null;
    try {
        claims = claimsOf(token, keysByKid(r), r.variables.appliance_id);
    } catch (e) {
        return null;
    }
    const left_ms = claims === null ? 0 : claims.exp * 1000 - Date.now();
    if (left_ms >= 1) {
        const line = claims.exp + ' ' + claims.variants + ' ' + claims.prefix;
        ngx.shared.verdicts.set(mark + token, line, Math.min(left_ms, VERDICT_MS));
    }
    return claims;
}

// The mark of the keys in force, '' while the agent has brought none.
function keysMark(r) {
    // The dictionary counts by the machine's clock: set back, it would keep the mark for as long.
    const now_ms = Date.now();
    const held = (ngx.shared.token_keys.get('mark') || '0 ').split(' ');
    const age_ms = now_ms - Number(held[0]);
    if (age_ms >= 0 && age_ms < KEYS_FRESH_MS) {
        return held[1];
    }
    const mark = readKeys(r).mark;
    ngx.shared.token_keys.set('mark', now_ms + ' ' + mark, KEYS_FRESH_MS);
    return mark;
}

function keysByKid(r) {
    return readKeys(r).keys;
}

function readKeys(r) {
    try {
        return JSON.parse(fs.readFileSync(r.variables.appliance_folder + '/run/token_keys.json'));
    } catch (e) {
        return {mark: '', keys: {}};
    }
}

// {exp, variants, prefix} of a genuine token for `audience`, else null; throws on what cannot be
// read. `variants` is hex.
function claimsOf(token, keys, audience) {
    const raw = Buffer.from(token, 'base64url');
    if (raw.toString('base64url') !== token || raw.toString('hex', 0, HEAD.length / 2) !== HEAD) {
        return null;
    }
    const kid = byteString(raw, HEAD.length / 2);
    const payload = byteString(raw, kid.end);
    const tag = byteString(raw, payload.end);
    const key = kid.bytes.toString();
    if (tag.end !== raw.length || !Object.keys(keys).includes(key)) {
        return null;
    }
    const mac = crypto.createHmac('sha256', Buffer.from(keys[key], 'hex'));
    mac.update(Buffer.from('84644d41433043a1010540', 'hex'));
    mac.update(raw.slice(kid.end, payload.end));
    if (!sameBytes(mac.digest(), tag.bytes)) {
        return null;
    }
    const claims = item({bytes: payload.bytes, at: 0}, 0);
    const prefix = claims[CATU][URI_PATH][MATCH_PREFIX];
    const variants = claims[WMPATTERN] === undefined ? '' : claims[WMPATTERN].toString('hex');
    const whole = typeof claims[SUB] === 'string' && typeof claims[IAT] === 'number'
        && typeof claims[EXP] === 'number' && typeof prefix === 'string'
        && (variants === '' || Buffer.isBuffer(claims[WMPATTERN]));
    if (!whole || claims[AUD] !== audience) {
        return null;
    }
    return {exp: claims[EXP], variants: variants, prefix: prefix};
}

// A CBOR byte string in its shortest form.
function byteString(raw, at) {
    const first = raw[at];
    let size = first - 0x40, start = at + 1;
    if (first === 0x58 && raw[at + 1] >= 24) {
        size = raw[at + 1];
        start = at + 2;
    } else if (first === 0x59 && raw[at + 1] > 0) {
        size = raw[at + 1] * 256 + raw[at + 2];
        start = at + 3;
    } else if (!(first >= 0x40 && first < 0x58)) {
        throw new Error('no byte string');
    }
    if (!(start + size <= raw.length)) {
        throw new Error('cut off');
    }
    return {bytes: raw.slice(start, start + size), end: start + size};
}

// The time this takes tells nothing of where the two differ.
function sameBytes(a, b) {
    let difference = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) {
        difference |= a[i] ^ b[i];
    }
    return difference === 0;
}

// One CBOR item of a payload whose tag was right: integers, strings, arrays, maps.
function item(reader, depth) {
    const first = reader.bytes[reader.at++];
    const major = first >> 5;
    const count = length(reader, first & 31);
    if (depth > 8) {
        throw new Error('too deep');
    }
    if (major === 0) {
        return count;
    }
    if (major === 1) {
        return -1 - count;
    }
    if (major === 2 || major === 3) {
        const bytes = reader.bytes.slice(reader.at, reader.at + count);
        reader.at += count;
        if (bytes.length !== count) {
            throw new Error('cut off');
        }
        return major === 2 ? bytes : new TextDecoder('utf-8', {fatal: true}).decode(bytes);
    }
    if (major === 4 || major === 5) {
        const found = major === 4 ? [] : {};
        for (let i = 0; i < count; i++) {
            const key = major === 4 ? i : item(reader, depth + 1);
            found[key] = item(reader, depth + 1);
        }
        return found;
    }
    throw new Error('not a kind of item that a token holds');
}

function length(reader, info) {
    if (info < 24) {
        return info;
    }
    if (info > 27) {
        throw new Error('no definite length');
    }
    let value = 0;
    for (let left = 1 << (info - 24); left > 0; left--) {
        if (reader.at >= reader.bytes.length) {
            throw new Error('cut off');
        }
        value = value * 256 + reader.bytes[reader.at++];
    }
    return value;
}

// $blake3_etag of a file in the store: a view is a link whose target ends in the BLAKE3.
function etag(r) {
    try {
        const target = fs.readlinkSync(viewOf(r));
        return '"' + target.slice(target.lastIndexOf('/') + 1) + '"';
    } catch (e) {
        return '';
    }
}

// $not_modified: '1' where the client holds these bytes already.
function notModified(r) {
    try {
        const asked = r.headersIn['If-None-Match'];
        const held = r.variables.blake3_etag;
        return asked !== undefined && held !== '' && asked.includes(held) ? '1' : '';
    } catch (e) {
        return '';
    }
}

// $age: seconds since the file came from the origin.
function age(r) {
    try {
        const came_ms = fs.statSync(viewOf(r)).mtimeMs;
        return String(Math.max(0, Math.floor((Date.now() - came_ms) / 1000)));
    } catch (e) {
        return '';
    }
}

function viewOf(r) {
    const v = r.variables;
    return v.appliance_folder + '/views/' + v.media_version + '/' + v.media_path;
}

export default {verdict, etag, notModified, age};
