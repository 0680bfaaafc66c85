/** For tests: CBOR that no reader of signed objects may take. No part of the product imports it. */

/** Each is malformed, not deterministic, or outside the profile. */
const PROFILE: Record<string, string> = {
  "nothing": "",
  "two values": "0000",
  "a long zero": "1800",
  "a long 24 in 16 bits": "190018",
  "a long 1 in 32 bits": "1a00000001",
  "a long 1 in 64 bits": "1b0000000000000001",
  "2^53": "1b0020000000000000",
  "2^64 - 1": "1bffffffffffffffff",
  "-2^64": "3bffffffffffffffff",
  "a long negative": "3813",
  "a long byte string": "580101",
  "a long text": "780161",
  "a long list": "980100",
  "a long map": "b8010000",
  "a byte string without end": "5f4101ff",
  "a text without end": "7f6161ff",
  "a list without end": "9f00ff",
  "a map without end": "bf0000ff",
  "a lone break": "ff",
  "a break in a list": "8100ff",
  "duplicate keys": "a200010002",
  "unsorted keys": "a201000000",
  "a text key": "a1613100",
  "a negative key": "a12000",
  "a byte string as key": "a1410100",
  "a map as key": "a1a000",
  "__proto__ as key": "a1695f5f70726f746f5f5f00",
  "a tag": "c000",
  "a bignum": "c249010000000000000000",
  "a regular expression": "d8236161",
  "typed array tag 64": "d8404101",
  "self-described": "d9d9f700",
  "a record definition of cbor-x": "d9dfff8319e00081616101",
  "half float 1.0": "f93c00",
  "single float": "fa47c35000",
  "double float": "fb3ff199999999999a",
  "infinity": "f97c00",
  "not a number": "f97e00",
  "null": "f6",
  "undefined": "f7",
  "a simple value": "f0",
  "a long simple value": "f818",
  "broken UTF-8": "61ff",
  "a surrogate in UTF-8": "63eda080",
  "overlong UTF-8": "62c080",
  "cut UTF-8": "61c3",
  "a byte string of 4 GiB": "5affffffff00",
  "a byte string of 2^64": "5bffffffffffffffff",
  "a text of 4 GiB": "7affffffff61",
  "a list of 4 Gi entries": "9affffffff00",
  "a list of 2^64 entries": "9bffffffffffffffff",
  "a map of 4 Gi entries": "baffffffff0000",
  "reserved length 28": "1c",
  "reserved length 31 of an integer": "1f",
  "65 entries": "9841" + "00".repeat(65),
  "seven levels": "81".repeat(7) + "00",
  "8000 levels": "81".repeat(8000) + "00",
  "8000 levels of maps": "a100".repeat(4000) + "00",
  "8000 open lists": "81".repeat(8000),
  "5 bytes that promise 4 Gi entries": "9affffffff",
  "5 bytes that promise 256 Mi entries": "9a10000000",
  "5 bytes that promise a map of 4 Gi entries": "baffffffff",
  "5 bytes that promise a map of 16 Mi entries": "ba01000000",
  "a missing entry": "8200",
  "a missing value": "a100",
};

/** RFC 8949 appendix F.1: not well-formed, by reason. */
const APPENDIX_F: Record<string, string> = {
  "cut in a head":
    "18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000",
  "a string that is too short":
    "41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203",
  "a list or map that is too short": "81 818181818181818181 8200 a1 a20102 a100 a2000000",
  "a tag without content": "c0",
  "a string without end": "5f4100 7f6100",
  "a list or map without end":
    "9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff",
  "reserved additional information":
    "1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de fc fd fe",
  "a simple value in two bytes": "f800 f801 f818 f81f",
  "a chunk of another type": "5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff",
  "a chunk without length": "5f5f4100ffff 7f7f6100ffff",
  "a lone break": "ff",
  "a break where none may be":
    "81ff 8200ff a1ff a1ff00 a100ff a20000ff 9f81ff 9f829f819f9fffffffff",
  "a break after a key": "bf00ff bf000000ff",
  "a number without end": "1f 3f df",
};

/** Hexadecimal digits by what is wrong with them. */
export const HOSTILE_CBOR: Readonly<Record<string, string>> = {
  ...PROFILE,
  ...Object.fromEntries(
    Object.entries(APPENDIX_F).flatMap(([why, list]) =>
      list.split(" ").map((hex) => [`${why}: ${hex}`, hex])
    ),
  ),
};
