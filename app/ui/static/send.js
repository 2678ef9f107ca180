// Sends one file's bytes to a route of this server and resolves with its answer, or rejects with one plain sentence.

const TICKET = "X-Dinoseek-Ticket";
const megabytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MB`;

function answerOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return { error: `the server answered ${request.status || "nothing"}: try again` };
  }
}

function sendFile(file, { url, ticket, maxBytes }, onShare = () => {}) {
  return new Promise((resolve, reject) => {
    if (file.size > maxBytes) {
      reject(new Error(`${file.name} is ${megabytes(file.size)}, over the limit of ${megabytes(maxBytes)}: make it smaller, or add its folder`));
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", `${url}?name=${encodeURIComponent(file.name || "pasted picture")}`);
    request.setRequestHeader(TICKET, ticket);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    request.onerror = () => reject(new Error("the server can't be reached: is it still running?"));
    request.onload = () => {
      const answer = answerOf(request);
      if (request.status < 300) resolve(answer);
      else reject(new Error(answer.error));
    };
    request.send(file);
  });
}
