// Shows when the rules have changed since the page was made: here, or in another process.
const changed = document.getElementById("changed");
if (changed) {
  setInterval(async () => {
    const answer = await fetch("/revision");
    if (answer.ok) changed.hidden = (await answer.text()) === changed.dataset.revision;
  }, 1000);
}
