// Times come in UTC; here they are shown in the reader's own zone.

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const span = new Intl.DateTimeFormat(undefined, {
  weekday: "long", year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short",
});
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// Days in a search are days here.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (timeZone && !document.cookie.includes(`mailhatch_zone=${timeZone}`)) {
  document.cookie = `mailhatch_zone=${timeZone}; path=/; max-age=31536000; samesite=lax`;
}

export const localTimes = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.valueOf())) continue;
    // An event: its own zone's words go into the title.
    const until = new Date(time.dataset.until ?? NaN);
    if (!Number.isNaN(until.valueOf())) {
      time.textContent = until > date ? span.formatRange(date, until) : span.format(date);
      continue;
    }
    time.title = full.format(date);
    if (time.hasAttribute("data-exact")) time.textContent = exact.format(date);
  }
};
