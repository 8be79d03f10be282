// Boots the page: strings first, then the view that the address names.

import { meetCluster, renderCluster } from "./cluster.js";
import { homeView } from "./home.js";
import { remember, remembered, useLanguage } from "./i18n.js";
import { jobView } from "./job.js";
import { adopt } from "./upload.js";

const main = document.getElementById("main");
let leave = () => {};

function show({ focus }) {
  leave();
  const job = /^#\/jobs\/(job_[0-9a-z]+)$/.exec(location.hash)?.[1];
  const upload = /^#\/uploads\/(upload_[0-9a-z]+)$/.exec(location.hash)?.[1];
  if (upload) adopt(upload);
  const view = job ? jobView(job) : homeView();
  leave = view.leave;
  main.replaceChildren(view.node);
  document.body.dataset.view = job ? "job" : "home";
  if (focus) {
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

const picker = document.getElementById("language");
picker.value = remembered();
picker.addEventListener("change", async () => {
  remember(picker.value);
  await useLanguage(picker.value);
  renderCluster();
  show({ focus: false });
});

await useLanguage(remembered());
window.addEventListener("hashchange", () => show({ focus: true }));
renderCluster();
await meetCluster();
show({ focus: false });
