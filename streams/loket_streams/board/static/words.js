// What the pages say, in the two languages of the product. Everything that is shown goes in as text, never as markup.

const WORDS = {
  title: ["Papan antrean", "Queue board"],
  all_units: ["Semua unit", "All units"],
  hall_page: ["Layar ruang tunggu", "Hall display"],
  open: ["Buka", "Open"],
  break: ["Istirahat", "Break"],
  closed: ["Tutup", "Closed"],
  nobody: ["Tidak ada antrean", "Nobody waits"],
  within: ["Dalam target", "Within target"],
  near: ["Mendekati target", "Near the target"],
  over: ["Lewat target", "Over target"],
  no_target: ["Menunggu, tanpa target", "Waiting, no target"],
  stale: ["Bukan keadaan sekarang", "Not the present"],
  waiting: ["Menunggu", "Waiting"],
  people: ["orang", "people"],
  person: ["orang", "person"],
  longest: ["Tunggu terlama", "Longest wait"],
  target: ["target", "target"],
  no_promise: ["tanpa target", "no target"],
  over_target: ["Lewat target", "Over target"],
  counters_open: ["Loket buka", "Counters open"],
  served: ["Dilayani hari ini", "Served today"],
  level: ["Dalam target hari ini", "Within target today"],
  services: ["Layanan", "Services"],
  service: ["Layanan", "Service"],
  expected: ["Perkiraan tunggu", "Estimated wait"],
  expected_new: ["yang datang sekarang kira-kira {time}", "who comes now: about {time}"],
  calls: ["Nomor terakhir dipanggil", "Last numbers called"],
  no_calls: ["Belum ada nomor yang dipanggil hari ini.", "No number has been called today."],
  counter: ["Loket {counter}", "Counter {counter}"],
  hidden_number: ["nomor disamarkan", "number hidden"],
  ago: ["{time} lalu", "{time} ago"],
  last_event: ["kejadian terakhir {time} lalu", "last event {time} ago"],
  no_event: ["belum ada kejadian", "no event yet"],
  data_live: ["Data langsung", "Live data"],
  data_replay: ["Putar ulang, keadaan {at}", "Replay, as of {at}"],
  data_late: ["Jalur data tertinggal", "The pipeline is behind"],
  data_late_more: [
    "Masih ada kejadian yang belum dihitung. Angka di bawah adalah keadaan {at}, bukan sekarang.",
    "Events are not counted yet. The figures below are as of {at}, not of now.",
  ],
  data_away: ["Jalur data putus", "The pipeline is away"],
  data_away_more: [
    "Tidak ada kejadian yang masuk sejak {at}. Angka di bawah adalah keadaan saat itu.",
    "No event can come in since {at}. The figures below are as of then.",
  ],
  data_starting: ["Papan sedang membaca data", "The board is reading its data"],
  data_starting_more: [
    "Program baru mulai atau mengambil alih unit ini. Angka muncul bila semua kejadian sudah dibaca.",
    "The worker has just started, or takes this unit over. Figures appear once every event is read.",
  ],
  data_elsewhere: ["Unit ini dipegang worker lain", "Another worker has this unit"],
  data_elsewhere_more: [
    "Beberapa worker berbagi pekerjaan. Buka papan worker yang memegang unit ini; bila baru berpindah, halaman ini menunjukkannya sendiri.",
    "Several workers share the work. Open the board of the one that has this unit; if it comes back, this page shows it by itself.",
  ],
  data_unknown: ["Unit ini tidak dikenal", "No such unit"],
  data_unknown_more: [
    "Tidak ada di targets.yaml, dan belum pernah ada kejadian darinya. Periksa alamat halaman ini.",
    "It is not in targets.yaml, and no event ever came from it. Check the address of this page.",
  ],
  data_cut: ["Tidak ada sambungan ke papan", "No connection to the board"],
  data_cut_more: [
    "Halaman ini tidak mendengar apa pun sejak {time} lalu dan terus mencoba. Angka di bawah mungkin sudah lama.",
    "This page has heard nothing for {time} and goes on trying. The figures below may be old.",
  ],
  data_full: ["Terlalu banyak halaman terbuka", "Too many pages are open"],
  data_full_more: [
    "Papan ini melayani {readers} halaman sekaligus. Tutup yang tidak dipakai; halaman ini terus mencoba.",
    "This board serves {readers} pages at once. Close those that nobody needs; this page goes on trying.",
  ],
  data_wrong: ["Halaman ini tidak menyebut unit yang sah", "This page names no valid unit"],
  data_wrong_more: ["Alamatnya harus berakhir dengan ?unit=…", "Its address has to end with ?unit=…"],
  connecting: ["Menyambung …", "Connecting …"],
  verdict_over: [
    "{people} orang menunggu lebih lama dari targetnya; terlama {time} (target {target}).",
    "{people} people have waited longer than their target; the longest {time} (target {target}).",
  ],
  verdict_over_1: [
    "1 orang menunggu lebih lama dari targetnya: {time} (target {target}).",
    "1 person has waited longer than the target: {time} (target {target}).",
  ],
  verdict_wait: [
    "{people} orang menunggu; terlama {time} (target {target}).",
    "{people} people wait; the longest {time} (target {target}).",
  ],
  verdict_wait_1: ["1 orang menunggu {time} (target {target}).", "1 person has waited {time} (target {target})."],
  verdict_free: ["{people} orang menunggu; terlama {time}.", "{people} people wait; the longest {time}."],
  verdict_nobody: ["Tidak ada yang menunggu sekarang.", "Nobody is waiting now."],
  alerts: ["Peringatan", "Alerts"],
  alerts_none: ["Tidak ada peringatan yang menyala.", "No alert fires."],
  alerts_no_receiver: [
    "Penerima peringatan belum diatur (LOKET_BOARD_ALERTS_URL).",
    "No receiver of alerts is set (LOKET_BOARD_ALERTS_URL).",
  ],
  alerts_away: [
    "Penerima peringatan tidak menjawab: apakah ada yang menyala tidak diketahui.",
    "The receiver of alerts does not answer: whether any fires is not known.",
  ],
  alerts_unreadable: [
    "Jawaban penerima peringatan tidak dapat dibaca: apakah ada yang menyala tidak diketahui.",
    "What the receiver of alerts answers cannot be read: whether any fires is not known.",
  ],
  alerts_waiting: ["Menanyakan penerima peringatan …", "Asking the receiver of alerts …"],
  alerts_more: ["dan {number} lagi", "and {number} more"],
  alert_ended: ["selesai {time}", "ended {time}"],
  alert_since: ["sejak {time}", "since {time}"],
  critical: ["Kritis", "Critical"],
  warning: ["Peringatan", "Warning"],
  info: ["Info", "Info"],
  steps: ["Langkah", "What to do"],
  runbook: ["Buku panduan", "Runbook"],
  take: ["Saya tangani", "I take it"],
  taken: ["Ditangani {by}, {time}", "Taken by {by}, {time}"],
  taken_by_me: ["Tercatat. Terima kasih.", "Noted. Thank you."],
  by: ["Nama Anda", "Your name"],
  note: ["Catatan (boleh kosong)", "Note (may be empty)"],
  token: ["Token papan", "Token of this board"],
  remember: ["Ingat token di perangkat ini", "Keep the token on this device"],
  forget: ["Lupakan token", "Forget the token"],
  send: ["Catat", "Note it"],
  cancel: ["Batal", "Cancel"],
  read_only: ["Papan ini hanya untuk dibaca.", "This board is for reading only."],
  err_token: ["Token salah.", "The token is wrong."],
  err_receiver_token: [
    "Penerima peringatan menolak token papan ini: keduanya harus sama.",
    "The receiver of alerts refuses this board's token: both need the same.",
  ],
  err_unknown: ["Peringatan ini sudah tidak dikenal.", "This alert is not known any more."],
  err_taken: ["Sudah ditangani {by}.", "{by} has taken it already."],
  err_body: ["Nama atau catatan tidak sah.", "The name or the note is not valid."],
  err_away: ["Penerima peringatan tidak menjawab; coba lagi.", "The receiver of alerts does not answer; try again."],
  err_other: ["Tidak tercatat; coba lagi.", "It was not noted; try again."],
  no_units: ["Worker ini belum memegang unit apa pun.", "This worker has no unit yet."],
  units_more: ["{number} unit lagi tidak ditampilkan.", "{number} more units are not shown."],
  partitions: [
    "Worker ini memegang {have} dari {of} partisi; unit lain ada pada worker lain.",
    "This worker has {have} of {of} partitions; other units are with other workers.",
  ],
  not_in_targets: ["tidak ada di targets.yaml", "not in targets.yaml"],
  now_calling: ["Nomor dipanggil", "Now calling"],
  before: ["Sebelumnya", "Before"],
  hall_waiting: ["Orang menunggu", "People waiting"],
  hall_stale: [
    "Informasi antrean sedang tidak terkini. Ikuti panggilan petugas.",
    "Queue information is not up to date. Please follow the staff's calls.",
  ],
  hall_closed: ["Pelayanan tutup", "The office is closed"],
  hall_break: ["Sedang istirahat", "Break"],
  about: ["± {time}", "± {time}"],
  under_a_minute: ["< 1 menit", "< 1 min"],
};

const LANGUAGES = ["id", "en"];

function chosen() {
  const asked = new URLSearchParams(location.search).get("lang") || kept("loket-language");
  return LANGUAGES.includes(asked) ? asked : "id";
}

// Storage may be forbidden on a wall display; then nothing is kept.
export function kept(name, area = localStorage) {
  try {
    return area.getItem(name);
  } catch {
    return null;
  }
}

export function keep(name, value, area = localStorage) {
  try {
    if (value === null) area.removeItem(name);
    else area.setItem(name, value);
  } catch {
    // as above
  }
}

export let language = chosen();
document.documentElement.lang = language;

export function speak(other) {
  language = other;
  keep("loket-language", other);
  document.documentElement.lang = other;
}

export function say(key, values = {}) {
  const text = WORDS[key][LANGUAGES.indexOf(language)];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

export function named(names, id) {
  return (names && (names[language] || names.id || names.en)) || id || "";
}

export function lasting(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const [s, min, h] = language === "id" ? ["detik", "menit", "jam"] : ["s", "min", "h"];
  if (seconds < 60) return `${seconds} ${s}`;
  if (minutes < 60) return `${minutes} ${min}`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} ${h}${minutes % 60 ? ` ${minutes % 60} ${min}` : ""}`;
  return `${Math.floor(minutes / 1440)} ${language === "id" ? "hari" : "days"}`;
}

// A wait that is foreseen: whole minutes, never less than it is.
export function about(ms) {
  return ms < 60000 ? say("under_a_minute") : say("about", { time: lasting(Math.ceil(ms / 60000) * 60000) });
}

export function clock(ms, zone, seconds = false) {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone || undefined };
  if (seconds) options.second = "2-digit";
  try {
    return new Intl.DateTimeFormat("en-GB", options).format(new Date(ms));
  } catch {
    return new Date(ms).toISOString().slice(11, 16) + "Z";
  }
}

// "loket-3" is counter 3 in every language.
export function counted(counter) {
  const found = /^(?:loket|counter|meja|desk)[-_ .]?(.+)$/i.exec(counter);
  return say("counter", { counter: found ? found[1] : counter });
}

export function percent(share) {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(0)} %`;
}
