"""The page's own words, in Indonesian and English."""

LANGUAGES = ("id", "en")

WORDS: dict[str, dict[str, str]] = {
    "id": {
        "title": "Kentongan: empat ponsel",
        "lead": "Simulator: semua tetap di komputer ini.",
        "console": "Buka konsol petugas",
        "language": "Bahasa",
        "steps": "Coba ini",
        "step1": "Lapor dari ponsel mana saja. Catat nomor dan kodenya.",
        "step2": "Lihat kabar di Telegram petugas.",
        "step3": "Masuk ke konsol petugas: frasa sandi dari terminal, kode dari sini. Baca laporannya.",
        "step4": "Ubah status atau ajukan pertanyaan.",
        "step5": "Kembali ke ponsel: baca dan jawab dengan kode.",
        "telegram": "Warga di Telegram",
        "whatsapp": "Warga di WhatsApp",
        "sms": "Warga lewat SMS",
        "officer": "Petugas di Telegram",
        "other": "Ponsel lain",
        "bot": "bot",
        "agency": "nomor lembaga",
        "codes": "Autentikator petugas",
        "code_left": "berganti dalam {n} detik",
        "officer_empty": "Kabar untuk petugas muncul di sini setelah ponsel ini dihubungkan "
        "dengan tautan dari konsol.",
        "empty": "Belum ada pesan. Mulai dengan:",
        "message": "Pesan dari {phone}",
        "thread": "Percakapan di {phone}",
        "placeholder": "Tulis pesan",
        "send": "Kirim",
        "attach": "Lampirkan berkas",
        "open": "Buka tautan t.me di sini",
        "open_button": "Buka",
        "edited": "diedit",
        "pressed": "Ditekan: {label}",
        "automatic": "Jawaban otomatis penyedia",
        "taken": "sampai ke bot",
        "refused": "tidak sampai: {problem}",
        "copy": "Salin",
        "problem": "Tidak bisa",
        "offline": "Simulator tidak menjawab. Mencoba lagi…",
        "you": "Anda",
        "them": "Kentongan",
    },
    "en": {
        "title": "Kentongan: four phones",
        "lead": "A simulator: everything stays on this computer.",
        "console": "Open the officers' console",
        "language": "Language",
        "steps": "Try this",
        "step1": "Report from any phone. Note the number and the code.",
        "step2": "See the alert on the officer's Telegram.",
        "step3": "Sign in to the console: passphrase from the terminal, code from here. Read the report.",
        "step4": "Change its status or ask a question.",
        "step5": "Back on the phone: read and answer with the code.",
        "telegram": "A citizen on Telegram",
        "whatsapp": "A citizen on WhatsApp",
        "sms": "A citizen by SMS",
        "officer": "An officer on Telegram",
        "other": "Another phone",
        "bot": "bot",
        "agency": "the agency's number",
        "codes": "The officers' authenticator",
        "code_left": "new codes in {n} seconds",
        "officer_empty": "Alerts appear here once this phone is linked with a link from the "
        "console.",
        "empty": "No messages yet. Begin with:",
        "message": "Message from {phone}",
        "thread": "Conversation on {phone}",
        "placeholder": "Write a message",
        "send": "Send",
        "attach": "Attach a file",
        "open": "Open a t.me link here",
        "open_button": "Open",
        "edited": "edited",
        "pressed": "Pressed: {label}",
        "automatic": "Automatic answer of the provider",
        "taken": "reached the bot",
        "refused": "did not arrive: {problem}",
        "copy": "Copy",
        "problem": "Not possible",
        "offline": "The simulator does not answer. Trying again…",
        "you": "You",
        "them": "Kentongan",
    },
}

STARTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "id": {
        "telegram": ("/start", "LAPOR"),
        "whatsapp": ("Halo", "LAPOR"),
        "sms": (
            "LAPOR Petugas minta uang 500 ribu untuk surat tanah",
            "LAPOR",
            "BANTUAN",
        ),
    },
    "en": {
        "telegram": ("/start", "REPORT"),
        "whatsapp": ("Hello", "REPORT"),
        "sms": (
            "REPORT A clerk asks 500 thousand for a land certificate",
            "REPORT",
            "GUIDE",
        ),
    },
}
"""First messages that an empty phone offers."""


def language(wanted: str) -> str:
    """Give a language that the page speaks."""
    return wanted if wanted in LANGUAGES else LANGUAGES[0]
