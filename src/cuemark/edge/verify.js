// Judges media requests: Common Access Tokens exactly as cuemark.kit.cat does, then the path.
//
// Nothing may throw out of a handler: nginx would write the request, token included, into its
// error log. The token keys and the revoked sessions come from files that the agent rewrites; they
// are looked at four times a second. A verdict is remembered under the keys' mark, so that it does
// not outlive them. What nginx needs to judge the next request without this is left in two tables:
// see judging.py, which has their form.

import fs from 'fs';
import crypto from 'crypto';

const FRESH_MS = 1000;
const VERDICT_MS = 300000;
const BUCKETS = 256;
const HEAD = 'd83dd18443a10105a104';
const REQUEST = /^\/t\/([A-Za-z0-9_-]{1,1024})(\/.*)$/;
const MEDIA =
    /^\/([a-z]{2,6}_[0-9a-z]{26})\/((?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\/){0,3}[A-Za-z0-9_][A-Za-z0-9._-]{0,63})$/;
const MARKED = /^(.*\/)([abx])([1-9][0-9]{0,8})\.m4s$/;
const SESSION = /^[A-Za-z0-9_-]{1,64}$/;
const SUB = 2, AUD = 3, EXP = 4, IAT = 6, CATNIP = 311, CATU = 312, URI_PATH = 3, MATCH_PREFIX = 1;
const WMPATTERN = 304;
const IPV4 = 52, IPV6 = 54, MAX_NETWORKS = 4;

// $verdict: 'ok', or why not. Sets the variables of the media on 'ok'.
function verdict(r) {
    try {
        return judge(r);
    } catch (e) {
        return 'token';
    }
}

function judge(r) {
    const request = REQUEST.exec(r.variables.request_uri.split('?')[0]);
    if (request === null) {
        return 'token';
    }
    const mark = markInForce(r);
    if (mark === '') {
        return 'keys';
    }
    const claims = remembered(mark, request[1]) || verified(r, mark, request[1]);
    if (claims === null || claims.exp * 1000 <= Date.now()) {
        return 'token';
    }
    if (isRevoked(claims.session)) {
        return 'revoked';
    }
    if (!isFrom(claims.networks, r.rawVariables.binary_remote_addr)) {
        return 'network';
    }
    if (!request[2].startsWith(claims.prefix)) {
        return 'scope';
    }
    const media = MEDIA.exec(request[2]);
    if (media === null) {
        return 'path';
    }
    const path = variantOf(media[2], claims.variants);
    if (path === '') {
        return 'path';
    }
    r.variables.media_version = media[1];
    r.variables.media_path = path;
    r.variables.media_named = media[2];
    leave(r, mark, request[1], claims);
    return 'ok';
}

// Leaves nginx what it needs to judge this token by itself, where that can be told in its terms.
function leave(r, mark, token, claims) {
    const version = claims.prefix.slice(1, -1);
    if (!r.variables.nginx_judges || claims.prefix !== '/' + version + '/' || version.includes('/')
            || !SESSION.test(claims.session)) {
        return;
    }
    const address = claims.networks.length ? r.variables.remote_addr : '-';
    const bucket = bucketOf(claims.session);
    r.variables.slot_written = token.slice(-4, -1);
    r.variables.verdict_written =
        [token, version, address, bucket, claims.session, mark, claims.exp].join(' ');
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
    return line === undefined ? null : JSON.parse(line);
}

function verified(r, mark, token) {
    let claims = null;
    try {
        claims = claimsOf(token, readKeys(r).keys, r.variables.appliance_id);
    } catch (e) {
        return null;
    }
    const left_ms = claims === null ? 0 : claims.exp * 1000 - Date.now();
    if (left_ms >= 1) {
        const line = JSON.stringify(claims);
        ngx.shared.verdicts.set(mark + token, line, Math.min(left_ms, VERDICT_MS));
    }
    return claims;
}

// Looks for new keys and revoked sessions, also while nobody asks for anything.
function refresh(s) {
    try {
        takeStanding(s);
    } catch (e) {
        ngx.shared.standing.delete('mark');
    }
}

// The mark of the keys in force, '' while the agent has brought none.
function markInForce(r) {
    // The dictionary counts by the machine's clock: set back, it would keep the mark for as long.
    const held = (ngx.shared.standing.get('mark') || '0 ').split(' ');
    const age_ms = Date.now() - Number(held[0]);
    return held[1] && age_ms >= 0 && age_ms < FRESH_MS ? held[1] : takeStanding(r);
}

// Reads what the agent wrote; returns the mark of the keys.
function takeStanding(r) {
    const mark = readKeys(r).mark;
    const path = r.variables.appliance_folder + '/run/revoked.json';
    let stamp = mark, sessions = {};
    try {
        const seen = fs.statSync(path);
        stamp = [mark, seen.ino, seen.mtimeMs, seen.size].join(' ');
    } catch (e) {
        // No session was ever revoked here.
    }
    if (ngx.shared.standing.get('stamp') !== stamp) {
        if (stamp !== mark) {
            sessions = JSON.parse(fs.readFileSync(path)).sessions;
        }
        const running = Object.keys(sessions).filter((name) => sessions[name] * 1000 > Date.now());
        takeRevoked(r, mark, running);
        ngx.shared.standing.set('stamp', stamp);
    }
    ngx.shared.standing.set('mark', Date.now() + ' ' + mark);
    return mark;
}

function takeRevoked(r, mark, sessions) {
    const lines = Array(BUCKETS).fill(mark + ' ');
    sessions.forEach((session) => {
        lines[bucketOf(session)] += session + ' ';
    });
    lines.forEach((line, bucket) => {
        if (ngx.shared.standing.get('bucket ' + bucket) === line) {
            return;
        }
        ngx.shared.standing.set('bucket ' + bucket, line);
        if (r.variables.nginx_judges) {
            r.variables.bucket_written = String(bucket);
            r.variables.standing_written = line;
        }
    });
}

function isRevoked(session) {
    return ngx.shared.standing.get('bucket ' + bucketOf(session)).includes(' ' + session + ' ');
}

function bucketOf(session) {
    let sum = 0;
    for (let i = 0; i < session.length; i++) {
        sum = (sum * 31 + session.charCodeAt(i)) % BUCKETS;
    }
    return sum;
}

function readKeys(r) {
    try {
        return JSON.parse(fs.readFileSync(r.variables.appliance_folder + '/run/token_keys.json'));
    } catch (e) {
        return {mark: '', keys: {}};
    }
}

// Whether an address, as bytes, is in one of the networks, [[bits, hex]]; without any, all are.
function isFrom(networks, address) {
    return !networks.length || networks.some((network) => {
        const prefix = Buffer.from(network[1], 'hex');
        if (prefix.length !== address.length) {
            return false;
        }
        for (let bit = 0; bit < network[0]; bit++) {
            if ((prefix[bit >> 3] ^ address[bit >> 3]) & (128 >> (bit & 7))) {
                return false;
            }
        }
        return true;
    });
}

// The networks of a catnip claim: prefixes of addresses and nothing else (RFC 9164).
function networksOf(claim) {
    if (!Array.isArray(claim) || claim.length < 1 || claim.length > MAX_NETWORKS) {
        throw new Error('no list of networks');
    }
    return claim.map((each) => {
        const size = each.tag === IPV4 ? 4 : each.tag === IPV6 ? 16 : 0;
        const bits = size && Array.isArray(each.value) ? each.value[0] : -1;
        const prefix = bits >= 0 && bits <= size * 8 ? each.value[1] : null;
        if (!Buffer.isBuffer(prefix) || prefix.length > size || each.value.length !== 2) {
            throw new Error('a network that is no prefix of addresses');
        }
        return [bits, Buffer.concat([prefix, Buffer.alloc(size - prefix.length)]).toString('hex')];
    });
}

// {session, exp, variants, networks, prefix} of a genuine token for `audience`, else null; throws
// on what cannot be read. `variants` is hex.
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
    const networks = claims[CATNIP] === undefined ? [] : networksOf(claims[CATNIP]);
    const session = claims[SUB];
    return {session, exp: claims[EXP], variants, networks, prefix};
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

// One CBOR item of a payload whose tag was right: integers, strings, arrays, maps, tagged items.
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
    if (major === 6) {
        return {tag: count, value: item(reader, depth + 1)};
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

// $etag: the version, since a path of it never has other bytes; of a marked segment, which has a
// variant for each session, the BLAKE3, in which the target of its link ends.
function etag(r) {
    try {
        if (!MARKED.test(r.variables.media_named)) {
            return '"' + r.variables.media_version + '"';
        }
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
        const held = r.variables.etag;
        return asked !== undefined && held !== '' && asked.includes(held) ? '1' : '';
    } catch (e) {
        return '';
    }
}

function viewOf(r) {
    const v = r.variables;
    return v.appliance_folder + '/views/' + v.media_version + '/' + v.media_path;
}

export default {verdict, refresh, etag, notModified};
