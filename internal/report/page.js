"use strict";
// Tables sort by their headings and narrow by the fields above them.
for (const box of document.querySelectorAll(".table")) {
  const body = box.querySelector("tbody");
  const heads = [...box.querySelectorAll("thead th")];
  const rows = [...body.rows];
  const search = box.querySelector(".search");
  const choice = box.querySelector(".choice");
  const count = box.querySelector(".count");
  const at = choice ? heads.findIndex((h) => h.textContent === choice.dataset.column) : -1;

  const narrow = () => {
    const words = search ? search.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = words.every((w) => text.includes(w)) && (at < 0 || choice.value === "" || row.cells[at].textContent === choice.value);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    if (count) count.textContent = `${shown} of ${rows.length}`;
  };
  if (search) search.addEventListener("input", narrow);
  if (choice) choice.addEventListener("change", narrow);
  if (search || choice) narrow();

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const h of heads) h.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const number = head.classList.contains("number");
      const value = (row) => {
        const text = row.cells[column].textContent;
        if (!number) return text;
        const v = parseFloat(text.replace("\u2212", "-"));
        return Number.isNaN(v) ? null : v;
      };
      const order = rows.map((row, i) => [value(row), i, row]);
      order.sort((a, b) => {
        if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null) || a[1] - b[1]; // what has no number comes last
        const d = number ? a[0] - b[0] : a[0].localeCompare(b[0], undefined, { numeric: true });
        return (up ? d : -d) || a[1] - b[1];
      });
      for (const [, , row] of order) body.append(row);
    });
  });
}
// A link to a card opens it.
const open = () => {
  const card = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (card && card.tagName === "DETAILS") card.open = true;
};
window.addEventListener("hashchange", open);
open();
