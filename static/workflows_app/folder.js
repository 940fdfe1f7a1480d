// Uploads a folder with the paths of its files, of which browsers send only the names. What is in hidden folders
// or is no .conf file stays out, so that a repository can be chosen.

const form = document.getElementById("folder-form");
const files = form.elements.folder;
const conf = (path) => path.endsWith(".conf") && !path.split("/").some((part) => part.startsWith("."));

form.hidden = false;

form.addEventListener("submit", () => {
  const chosen = new DataTransfer();
  const paths = [];
  for (const file of files.files) {
    const path = file.webkitRelativePath || file.name;
    if (conf(path)) {
      chosen.items.add(file);
      paths.push(path);
    }
  }
  files.files = chosen.files;
  form.elements.paths.value = JSON.stringify(paths);
});
