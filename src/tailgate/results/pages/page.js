
"use strict";
// Without this script the page is complete; with it, tables sort and filter.

const AT_ONCE = 500; // rows that are laid out before somebody asks for more

function sortable(table) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((one) => one.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const keyed = [...body.rows].map((row) => [key(row.cells[column]), row]);
      keyed.sort(([one], [other]) => compare(one, other, sign));
      body.replaceChildren(); // 10,000 rows that move one by one take Chromium 6 s, and 0.1 s from outside the page
      body.append(...keyed.map(([, row]) => row));
      table.dispatchEvent(new Event("change"));
    });
  });
}

// A number where the cell has one; nothing is a last resort, whichever way a column is sorted.
function key(cell) {
  return "v" in cell.dataset ? Number(cell.dataset.v) : cell.textContent || null;
}

const order = new Intl.Collator("en", { numeric: true }).compare;

function compare(one, other, sign) {
  if (one === null || other === null) return (one === null) - (other === null);
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return sign * (typeof one === "number" ? one - other : order(one, other));
}

function filtering(form) {
  const table = document.getElementById(form.dataset.filters);
  const said = form.querySelector("output");
  const more = document.createElement("button");
  more.type = "button";
  more.textContent = "Show all";
  form.append(more);
  let most = AT_ONCE;
  const show = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const status = form.elements.status.value;
    let found = 0;
    for (const row of table.tBodies[0].rows) {
      const name = row.cells[0].textContent.toLowerCase();
      const fits = words.every((word) => name.includes(word)) && (!status || row.cells[1].textContent === status);
      found += fits;
      row.hidden = !fits || found > most;
    }
    const shown = Math.min(found, most);
    said.textContent = `${shown} of ${table.tBodies[0].rows.length} rows` + (shown < found ? `, ${found} fit` : "");
    more.hidden = shown === found;
  };
  more.addEventListener("click", () => {
    most = Infinity;
    show();
  });
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  table.addEventListener("change", show);
  addEventListener("beforeprint", () => more.click());
  form.hidden = false;
  show();
}

document.querySelectorAll("table[data-sortable]").forEach(sortable);
document.querySelectorAll("form[data-filters]").forEach(filtering);
