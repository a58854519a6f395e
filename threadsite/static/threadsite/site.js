// Tells the server which time zone the browser is in, so that times can be offered in it.
// Nothing else here: pages work without scripts; htmx only refreshes what a reload would show.
(function () {
  "use strict";
  var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    document.cookie = "zone=" + encodeURIComponent(zone) + "; path=/; max-age=31536000; SameSite=Lax";
  }
})();
