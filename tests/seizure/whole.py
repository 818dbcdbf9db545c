"""What a house with everything in flight holds: the words, the people, the marks."""

from dataclasses import dataclass, field
from pathlib import Path

from storage.crypto.server_key import ServerKeys
from storage.database.database import Database
from storage.models import Case
from storage.words import Role, Stage
from tests.support.desk import Desk, Slip
from tests.support.founded import Person

TOLD = {
    "story": "Kadis-Bermarkah meminta dua ratus juta rupiah di gudang Mengwitani",
    "draft's story": "Camat-Belumterkirim menahan beras bantuan di Sukamarkah",
    "other unit's story": "Bupati-Setorannya minta uang dari tiap dinas",
    "conflict's story": "LAPOR Lurah-Sepupunya menjual surat tanah warga desa",
    "held story": "LAPOR Bendahara-Ditahan memotong dana bantuan sekolah",
    "closed story": "LAPOR Kepsek-Sudahditutup memungut uang seragam sekolah",
    "erased story": "LAPOR Sekdes-Terhapuskan menjual pupuk bersubsidi di pasar",
    "reply": "Saksinya-Bendaharawati duduk di ruang sebelah gudang",
    "note": "Catatan-Pemeriksanya sudah dicek ke lapangan",
    "question": "Siapa-Saksinyatadi yang melihat di gudang itu?",
    "reason of the hold": "Jaksa-Memintanya lewat surat resmi",
    "file's name": "kuitansi-rahasiaku.jpg",
}
"""What a case's own unit may read; each begins with a word that is nowhere else."""
NAMED = {
    "identity": "Ketut-Namarahasia, surel ketut.namarahasia@contoh.example",
    "other identity": "Made-Namatersembunyi, 0812-9988-7766",
    "why": "Pelapor-Terancamnya harus dilindungi malam ini",
    "original": "isi-asli-dengan-penulisnya-0451",
    "not understood": "pesan-Tidakdimengerti-0452",
}
"""What needs the vault too."""
COPY = "isi-salinan-kerja-0453"
WAITS = "Tanggal-Berapakah uang itu diserahkan kepada beliau?"
"""The full text of a question, on its way to somebody who asked for it."""
WHO = {
    "neutral wish": "7001234501",
    "full wish": "+6281277788899",
    "drafting": "7001234502",
    "chat to clean": "7001234503",
    "opened a moment ago": "7001234504",
    "wrote to us": "7001234505",
    "unreachable": "+6285712345678",
    "officer": "7001234599",
}
"""Handles, each by why it is in the store."""
PEOPLE = {
    Role.HANDLER: ("budi", "sandi-penangan-sangat-panjang-4711"),
    Role.CUSTODIAN: ("putu", "sandi-penjaga-sangat-panjang-4712"),
    Role.AUDITOR: ("ani", "sandi-auditor-sangat-panjang-4713"),
    Role.ADMIN: ("adi", "sandi-admin-sangat-panjang-4714"),
}
RECOVERY_CODE = "ABCDE-FGHJK"
PROVIDERS = "SM0123456789abcdef0123456789abcdef"


@dataclass
class Whole:
    """The house, its files, and everything that a thief might bring along."""

    here: Desk
    folder: Path
    old_keys: ServerKeys
    file: bytes = b""
    cases: dict[str, Case] = field(default_factory=dict)
    slips: dict[str, Slip] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    marks: dict[str, str | bytes] = field(default_factory=dict)
    cookies: dict[Stage, str] = field(default_factory=dict)

    @property
    def keys(self) -> ServerKeys:
        return self.here.keys

    @property
    def database(self) -> Database:
        return self.here.database
