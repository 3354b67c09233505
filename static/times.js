// Times come in UTC; here they are shown in the reader's own zone.

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const localTimes = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.valueOf())) continue;
    time.title = full.format(date);
    if (time.hasAttribute("data-exact")) time.textContent = exact.format(date);
  }
};
