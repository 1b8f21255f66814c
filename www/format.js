/**
 * Numbers, sizes, durations and instants as people read them. Pure; every duration is in seconds and
 * every instant in Unix seconds unless the name says otherwise.
 *
 * @module format
 */

const NUMBER = new Intl.NumberFormat("en");

/** `10481` reads "10,481". */
export const count = (value) => NUMBER.format(value);

/** `1` reads "1 byte", `10481` reads "10,481 bytes". */
export const bytes = (value) => `${count(value)} ${value === 1 ? "byte" : "bytes"}`;

/** A number with the noun that fits it: "1 entry", "2 entries". */
export const counted = (value, one, many) => `${count(value)} ${value === 1 ? one : many}`;

/** Microseconds with a precision that the measurement can carry: "4.2 µs", "141 µs", "1.3 ms". The space does not break. */
export function micros(value) {
  if (value >= 1000) return `${(value / 1000).toFixed(1)}\u00a0ms`;
  return value >= 10 ? `${Math.round(value)}\u00a0µs` : `${value.toFixed(1)}\u00a0µs`;
}

/** Milliseconds as they are read: "under 1 ms", "23 ms", "1.4 s". The space does not break. */
export function millis(value) {
  if (value < 1) return "under 1\u00a0ms";
  return value < 1000 ? `${Math.round(value)}\u00a0ms` : `${(value / 1000).toFixed(1)}\u00a0s`;
}

/** A clock that runs down: "14:59", "3:02:10", "6 d 23:02:10". Negative values read "0:00". */
export function remaining(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const two = (value) => String(value).padStart(2, "0");
  const inDay = `${hours}:${two(minutes)}:${two(whole % 60)}`;
  if (days > 0) return `${days} d ${inDay}`;
  return hours > 0 ? inDay : `${minutes}:${two(whole % 60)}`;
}

/** A span in words, for sentences: "45 seconds", "15 minutes", "7 days". */
export function span(seconds) {
  const whole = Math.round(Math.abs(seconds));
  const units = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const [size, noun] = units.find(([size]) => whole >= size) ?? [1, "second"];
  const amount = Math.round(whole / size);
  return `${count(amount)} ${noun}${amount === 1 ? "" : "s"}`;
}

/** An instant relative to now, for sentences: "in 15 minutes", "3 minutes ago", "now". */
export function relative(instant, now) {
  const distance = instant - now;
  if (Math.abs(distance) < 1) return "now";
  return distance > 0 ? `in ${span(distance)}` : `${span(distance)} ago`;
}

/** An instant as local date and time, to the second; an instant no calendar holds is shown as its number. */
export function dateTime(instant) {
  const date = new Date(instant * 1000);
  if (Number.isNaN(date.getTime())) return String(instant);
  return date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** The local time of day of a moment in milliseconds: "14:03:22". */
export function timeOfDay(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString("en-GB");
}
