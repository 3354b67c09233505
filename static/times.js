// Times come in UTC; here they are shown in the reader's own zone.

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const span = new Intl.DateTimeFormat(undefined, {
  weekday: "long", year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short",
});
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// The server plans, searches by and shows days and times in the zone of who looks, where it knows it.
export const tellZone = () => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || document.cookie.split("; ").includes(`mailhatch_zone=${zone}`)) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `mailhatch_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
};

// How long a reply can still be taken back. Counted from when it was shown, for clocks differ.
export const countdowns = (root) => {
  for (const place of root.querySelectorAll("[data-countdown]")) {
    const end = performance.now() + Number(place.dataset.countdown);
    place.removeAttribute("data-countdown");
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      if (!place.isConnected) return;
      place.textContent = left > 0 ? `Leaves in ${left} s` : "Leaving now";
      if (left > 0) setTimeout(tick, 200);
    };
    tick();
  }
};

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
