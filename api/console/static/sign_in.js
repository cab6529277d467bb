// The address that `crm up` prints ends with #token=…: it signs in, and leaves the address.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", location.pathname);
  document.getElementById("token").value = token;
  document.querySelector("form").requestSubmit();
}
