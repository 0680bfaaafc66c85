/** Dates of cookies, as browsers read them (RFC 6265 5.1.1): a loose grammar that every server's own spelling fits. */

const DELIMITERS = /[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/;
const TIME = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|$)/;
const DAY = /^(\d{1,2})(?:\D|$)/;
const YEAR = /^(\d{2,4})(?:\D|$)/;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Characters of a date: the longest known form has 33. */
const MAX_DATE_CHARACTERS = 128;

interface Found {
  time?: readonly number[];
  day?: number;
  month?: number;
  year?: number;
}

/** Milliseconds since 1970; undefined for what is no date. */
export function parseCookieDate(text: string): number | undefined {
  if (text.length > MAX_DATE_CHARACTERS) return undefined;
  const found: Found = {};
  for (const token of text.split(DELIMITERS)) readToken(token, found);
  const { time, day, month, year } = found;
  if (time === undefined || day === undefined || month === undefined || year === undefined) {
    return undefined;
  }
  return toTime({ time, day, month, year });
}

/** Each token is the first of these that is still missing. */
function readToken(token: string, found: Found): void {
  const time = found.time === undefined ? TIME.exec(token) : null;
  if (time !== null) {
    found.time = time.slice(1, 4).map(Number);
    return;
  }
  const day = found.day === undefined ? DAY.exec(token) : null;
  if (day !== null) {
    found.day = Number(day[1]);
    return;
  }
  const month = MONTHS.indexOf(token.slice(0, 3).toLowerCase());
  if (found.month === undefined && month >= 0) {
    found.month = month;
    return;
  }
  const year = found.year === undefined ? YEAR.exec(token) : null;
  if (year !== null) found.year = fullYear(Number(year[1]));
}

function fullYear(year: number): number {
  if (year < 70) return year + 2000;
  return year < 100 ? year + 1900 : year;
}

function toTime({ time, day, month, year }: Required<Found>): number | undefined {
  const [hour, minute, second] = time as readonly [number, number, number];
  if (day < 1 || day > 31 || year < 1601 || hour > 23 || minute > 59 || second > 59) {
    return undefined;
  }
  const daysInMonth = new Map([[1, isLeap(year) ? 29 : 28], [3, 30], [5, 30], [8, 30], [10, 30]]);
  if (day > (daysInMonth.get(month) ?? 31)) return undefined;
  return Date.UTC(year, month, day, hour, minute, second);
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}
