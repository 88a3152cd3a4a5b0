// Ask for the token, read the description of the service with it, and show a row to try for each live model.
// All that comes from the service is shown as text: names of data sets and columns are never part of the page's markup.
"use strict";

const byId = (id) => document.getElementById(id);
const ONE_MODEL = /^\/v1\/([^/{}]+)\/predict$/;

async function readDescription(token) {
  const answer = await fetch("openapi.json", { headers: { Authorization: `Bearer ${token}` } });
  if (answer.status === 401) throw new Error("This token is not one of this platform.");
  if (!answer.ok) throw new Error(`The service answered ${answer.status}.`);
  return answer.json();
}

function showTry(name, operation, token) {
  const example = operation.requestBody.content["application/json"].examples.rows.value;
  const card = byId("try").content.cloneNode(true).querySelector("article");
  const [text, button, answer] = ["textarea", "button", ".answer"].map((part) => card.querySelector(part));
  const path = `v1/${encodeURIComponent(name)}/predict`;
  card.querySelector("h3").textContent = name;
  card.querySelector(".about").textContent = operation.description.split("\n\n").pop();
  text.value = JSON.stringify(example, null, 2);
  card.querySelector(".curl").textContent =
    `curl -s ${new URL(path, location.href)} -H "Authorization: Bearer $SERVING_TOKEN" -d '${JSON.stringify(example).replaceAll("'", "'\\''")}'`;
  button.addEventListener("click", () => predict(path, text.value, token, button, answer));
  byId("tries").append(card);
}

async function predict(path, body, token, button, shown) {
  button.disabled = true;
  try {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const answer = await fetch(path, { method: "POST", headers, body });
    shown.classList.toggle("failed", !answer.ok);
    shown.textContent = JSON.stringify(await answer.json(), null, 2);
  } catch {
    shown.classList.add("failed");
    shown.textContent = "The service cannot be reached.";
  } finally {
    button.disabled = false;
  }
}

function showReference(spec, token) {
  const ui = SwaggerUIBundle({
    spec,
    dom_id: "#swagger-ui",
    validatorUrl: null,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    persistAuthorization: false,
    onComplete: () => ui.preauthorizeApiKey("HTTPBearer", token),
  });
}

byId("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = byId("token").value.trim();
  byId("problem").textContent = "";
  try {
    const spec = await readDescription(token);
    byId("tries").replaceChildren();
    for (const [path, item] of Object.entries(spec.paths)) {
      const model = path.match(ONE_MODEL);
      if (model) showTry(model[1], item.post, token);
    }
    if (!byId("tries").children.length) byId("tries").textContent = "No model is live yet.";
    byId("models").hidden = byId("reference").hidden = false;
    showReference(spec, token);
  } catch (error) {
    byId("problem").textContent = error instanceof TypeError ? "The service cannot be reached." : error.message;
  }
});
