"""Which place an answer or a story names: a labelled table, all official names, any text."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.reading import places
from handlers.reading.places import Place
from handlers.rules.gazetteer import Gazetteer
from handlers.rules.regions import PlaceWords, Regencies
from handlers.rules.rulebook import Rulebook
from tests.support.effort import is_linear

BOOK = Rulebook.load()
TABLE = BOOK.places


def label(place: Place | None) -> str:
    """``18.72`` a regency, ``18`` a province, ``32?`` one with several regencies, or ``-``."""
    if place is None:
        return "-"
    return place.regency or place.province + ("?" if place.among else "")


ANSWERS = {
    # the test list of issue 12, and as the question asks
    "Kota Metro": "18.72",
    "Kab. Way Kanan": "18.08",
    "Tangsel": "36.74",
    "Jakarta Selatan": "31.74",
    "Muaro Jambi": "15.05",
    "Balikpapan": "64.71",
    "Dinas X, Kab. Y, Jambi": "15",
    "Dinas PU, Kab. Muaro Jambi, Jambi": "15.05",
    "Disdik Kota Jambi": "15.71",
    # bare names, ordinary words among them
    "Metro": "18.72",
    "Batu": "35.79",
    "batu": "35.79",
    "pati": "33.18",
    "Buru": "81.04",
    "di bone": "73.08",
    "solo": "33.72",
    "kudus": "33.19",
    "Batu Bara": "12.19",
    "sungai penuh": "15.72",
    "puncak": "94.05",
    # with and without kind, and as people write it
    "kab way kanan lampung": "18.08",
    "KABUPATEN WAY KANAN": "18.08",
    "kabupaten lampung tengah": "18.02",
    "Kodya Semarang": "33.74",
    "Kotamadya Bandung": "32.73",
    "pemkot malang": "35.73",
    "bupati bogor": "32.01",
    "Wali Kota Bogor": "32.71",
    "walikota serang": "36.73",
    "Prov. Banten": "36",
    "propinsi sumatra utara": "12",
    "Provinsi Jambi": "15",
    "Gubernur Riau": "14",
    "pare-pare": "73.72",
    "Bau2": "-",
    "baubau": "74.72",
    "fak-fak": "92.03",
    "Gunung Kidul": "34.03",
    "kulonprogo": "34.01",
    "50 Kota": "13.07",
    "Tj. Pinang": "21.72",
    "Kep. Meranti": "14.10",
    "kep riau": "21",
    "bdr lampung": "18.71",
    "Kota Kudus": "33.19",
    "kota Jakarta": "31",
    "Kab. Kotabaru Kalsel": "63.02",
    "Kota Banjarbaru": "63.72",
    "Palangka Raya": "62.71",
    "Maluku Tenggara Barat": "81.03",
    "Sitaro": "71.09",
    # everyday names
    "jaksel": "31.74",
    "JAKPUS": "31.71",
    "jogja": "34",
    "kota jogja": "34.71",
    "Tuba": "18.05",
    "Tubaba": "18.12",
    "lamteng": "18.02",
    "Lampura": "18.03",
    "tanjabbar": "15.06",
    "Tanjabtim Jambi": "15.07",
    "babel": "19",
    "sumut": "12",
    "DKI": "31",
    "Ujung Pandang": "73.71",
    "bdg": "32.73",
    "sby": "35.78",
    "Pku": "14.71",
    "kukar": "64.02",
    "kutim kaltim": "64.08",
    "PPU": "64.09",
    "OKI sumsel": "16.02",
    "Purwokerto": "33.02",
    "Sampit": "62.02",
    "Labuan Bajo": "53.15",
    "Timika papua tengah": "94.04",
    # one letter wrong
    "Way Kanam": "18.08",
    "kab. way knan": "18.08",
    "bandug": "32?",
    "Makasar": "73.71",
    "kota surabya": "35.78",
    "Jmabi": "15",
    "pringsewo": "18.10",
    "kab tulang bawamg": "18.05",
    "Banyuwanggi, jatim": "35.10",
    "kantor dinas banyuwngi": "35.10",
    "kantor jual sambal ijo": "-",
    "Bengkalis, sambal": "14.03",
    "Gogor": "-",
    "seorang": "-",
    "sekarang": "-",
    # the same name in one province, in two provinces
    "Bandung, Jawa Barat": "32?",
    "bekasi": "32?",
    "kab/kota Kediri": "35?",
    "Bima NTB": "52?",
    "Jayapura": "91?",
    "Sorong": "96?",
    "Banjar": "-",
    "Banjar, Kalsel": "63.03",
    "Banjar, Jawa Barat": "32.79",
    "kota banjar": "32.79",
    "kab. banjar": "63.03",
    "Martapura": "-",
    "Kabupaten Mura yang di Sumsel": "16.05",
    "Kota Bandung dan Kab. Bandung": "32?",
    # several names, and the surest counts
    "Kec. Metro Pusat, Lampung": "18.72",
    "Kecamatan Bandung, Kab. Serang": "36.04",
    "Jl. Surabaya 12, Kota Medan": "12.71",
    "Batam, Riau": "21.71",
    "Kota Serang, Jawa Barat": "36.73",
    "Papua": "91",
    "RSUD Abdul Moeloek Bandar Lampung": "18.71",
    "Bank Jambi cabang Muara Bungo": "15.08",
    "kantor dinas sosial batu": "35.79",
    "SMAN 1 Metro": "18.72",
    "polres metro jakarta selatan": "31.74",
    "Medan - Sumatra Utara": "12.71",
    "Kota Bandung dan Kota Surabaya": "-",
    "Bandung, barat pasar": "32?",
    # none
    "bone-bone": "-",
    "kantor pusat": "-",
    "tidak tahu": "-",
    "buru-buru, nanti saya tulis": "-",
    "desa batu": "-",
    "gudang batu dan semen": "-",
    "jl bandung": "-",
    "rumah makan, masakan padang": "-",
    "di depan pasar": "-",
    "lupa namanya": "-",
    "": "-",
    # a second sheet, labelled before it was first tried
    "kantor camat tanjung karang pusat bandar lampung": "18.71",
    "inspektorat kab. sleman diy": "34.04",
    "dinas kesehatan provinsi kalimantan timur": "64",
    "BKD jateng": "33",
    "Kelurahan Kebayoran Baru Jakarta Selatan": "31.74",
    "di kantor bupati kutai kartanegara": "64.02",
    "puskesmas kec. sukarame, palembang": "16.71",
    "sdn 03 pagi jaktim": "31.75",
    "rsud dr soetomo surabaya": "35.78",
    "universitas negeri padang": "13.71",
    "kemenag kab gresik": "35.25",
    "bpn kota depok": "32.76",
    "desa sukamaju kec. cibinong kab bogor": "32.01",
    "samsat cikarang bekasi": "32.16",
    "kab. bandung barat": "32.17",
    "kbb": "32.17",
    "dishub solo": "33.72",
    "satpol pp kota tegal": "33.76",
    "kab tegal": "33.28",
    "kec. slawi": "33.28",
    "pdam tirta musi plg": "16.71",
    "pemda sikka ntt": "53.07",
    "maumere": "53.07",
    "Dinas PUPR Kab. Timor Tengah Selatan": "53.02",
    "dinas pertanian TTU": "53.03",
    "kota sorong papua barat daya": "96.71",
    "Kab. Puncak Jaya": "94.02",
    "jayawijaya": "95.01",
    "wamena papua": "95.01",
    "manokwari": "92.02",
    "tanah laut kalsel": "63.01",
    "HST": "63.07",
    "kab. hulu sungai utara": "63.08",
    "sekda kapuas": "62.03",
    "kapuas hulu": "61.06",
    "pontianak": "61.71",
    "singkawang, kalbar": "61.72",
    "kota bitung sulawesi utara": "71.72",
    "bolmong": "71.01",
    "toraja utara": "73.26",
    "tana toraja": "73.18",
    "Gowa sulsel": "73.06",
    "polewali mandar": "76.04",
    "mamuju sulbar": "76.02",
    "Bone bolango": "75.03",
    "kota gorontalo": "75.71",
    "kab. gorontalo": "75.01",
    "gorontalo": "75",
    "buton tengah": "74.14",
    "kota bau-bau": "74.72",
    "kendari sultra": "74.71",
    "ambon maluku": "81.71",
    "tual": "81.72",
    "ternate": "82.71",
    "morotai": "82.07",
    "padang sidempuan": "12.77",
    "deli serdang sumut": "12.07",
    "kota tebing tinggi": "12.76",
    "batubara": "12.19",
    "nias": "12.04",
    "simeulue aceh": "11.09",
    "banda aceh": "11.71",
    "aceh": "11",
    "abdya": "11.12",
    "rokan hilir": "14.07",
    "pekanbaru": "14.71",
    "kota batam, kepri": "21.71",
    "natuna": "21.03",
    "bangka barat": "19.05",
    "pangkalpinang": "19.71",
    "musi rawas utara": "16.13",
    "ogan ilir": "16.10",
    "rejang lebong": "17.02",
    "kota bengkulu": "17.71",
    "tulang bawang barat": "18.12",
    "lampung": "18",
    "serang banten": "36?",
    "kab serang": "36.04",
    "lebak": "36.02",
    "kota cilegon banten": "36.72",
    "saya tidak mau menyebut": "-",
    "rahasia": "-",
    "dinas pendidikan": "-",
    "kantor kelurahan": "-",
    "di kampung saya": "-",
    "sekolah anak saya": "-",
    "PT Maju Jaya": "-",
    "Jl. Medan Merdeka": "-",
    "kantor pos": "-",
    "kementerian keuangan": "-",
    "polsek": "-",
    "pemda": "-",
    "dinas pu": "-",
    "pasar senen": "-",
    "kantor gubernur": "-",
    "kab. yogyakarta": "34",
    "Kab. Pasuruan Jawa timur": "35.14",
    "kota pasuruan": "35.75",
    "malang kab": "35?",
    "Malang Kota": "35?",
    "mojokerto kab.": "35?",
    "Bupati lahat sumatera selatan": "16.04",
    "waikanan": "18.08",
    "lampung sltn": "18",
    "cilacapp": "33.01",
    "purwokert": "33.02",
    "jogjakarta": "34",
    "bantull": "34.02",
    "denpsar bali": "51.71",
    "mataran ntb": "52.71",
    # a third sheet, labelled when the tables were done
    "dinas perizinan kota bks": "-",
    "Kantor Lurah Cempaka Putih, Jakpus": "31.71",
    "pemkab lebak": "36.02",
    "kab lebak banten": "36.02",
    "satker jalan nasional di kalbar": "61",
    "disdukcapil kota smg": "33.74",
    "rs bhayangkara kendari": "74.71",
    "Kab. Kepulauan Talaud": "71.04",
    "talaud": "71.04",
    "dprd kota ambon": "81.71",
    "kec. medan sunggal kota medan": "12.71",
    "inspektorat daerah kab.ogan komering ilir": "16.02",
    "oki": "16.02",
    "kampus unila bandar lampung": "18.71",
    "bpbd lumajang jatim": "35.08",
    "dinas esdm prov maluku utara": "82",
    "Kab. Fak-fak": "92.03",
    "kabupaten pegunungan bintang": "95.02",
    "raja ampat papua": "96.05",
    "kabupaten kepulauan aru": "81.07",
    "Selayar": "73.01",
    "kota parepare": "73.72",
    "pinrang sulsel": "73.15",
    "kab. luwu timur": "73.24",
    "Mahakam Ulu": "64.11",
    "bontang": "64.74",
    "kab tanah bumbu kalsel": "63.10",
    "kapuas": "62.03",
    "ketapang kalbar": "61.04",
    "sambas": "61.01",
    "bangli bali": "51.06",
    "kab klungkung": "51.05",
    "kota mataram": "52.71",
    "sumbawa barat": "52.07",
    "sumbawa": "52.04",
    "sabu raijua": "53.20",
    "gunungkidul jogja": "34.03",
    "kota yogyakarta": "34.71",
    "kab semarang jawa tengah": "33.22",
    "kota magelang": "33.71",
    "purworejo": "33.06",
    "kota sukabumi": "32.72",
    "garut": "32.05",
    "ciamis jabar": "32.07",
    "kota tangerang selatan": "36.74",
    "kab tangerang": "36.03",
    "kepulauan seribu dki jakarta": "31.01",
    "tebo jambi": "15.09",
    "kerinci": "15.01",
    "muko-muko": "17.06",
    "pagaralam": "16.72",
    "lubuklinggau": "16.73",
    "kab solok sumbar": "13.02",
    "payakumbuh": "13.76",
    "agam": "13.06",
    "mandailing natal": "12.13",
    "gunung sitoli": "12.78",
    "langsa aceh": "11.74",
    "gak mau kasih tau": "-",
    "semua dinas": "-",
    "puskesmas dekat rumah": "-",
    "instansi vertikal": "-",
    "bumn": "-",
    "kantor desa": "-",
    "saya lupa pak": "-",
    "sekolah negeri": "-",
    "kepolisian": "-",
    "lewat saja": "-",
}

TOLD = {
    "kab": ("Dana desa di kab pati habis tanpa laporan", "33.18"),
    "kabupaten": ("pungli sertifikat di kabupaten way kanan", "18.08"),
    "kota": ("izin bangunan kota batu dijual", "35.79"),
    "regent": ("Bupati Ende minta setoran proyek", "53.08"),
    "mayor": ("wali kota metro menerima uang", "18.72"),
    "mayor in one word": ("walikota Serang dan istrinya", "36.73"),
    "government": ("pemkab siak membeli mobil fiktif", "14.08"),
    "city government": ("Pemkot Solo menahan gaji", "33.72"),
    "in": ("Saya kerja di Way Kanan, gaji dipotong", "18.08"),
    "in, a capital": ("Di Batu ada pungli parkir", "35.79"),
    "office": ("dinas pendidikan bandung minta uang kursi", "32?"),
    "office and capital": ("Dinas Sosial Demak memotong bansos", "33.21"),
    "its district": ("beras bansos di pati, jateng dijual", "33.18"),
    "province": ("gubernur jambi dan ketok palu", "15"),
    "province in short": ("proyek jalan prov sumut", "12"),
    "police": ("polres poso menerima suap", "72.02"),
    "parliament": ("anggota dprd dompu minta jatah", "52.05"),
    "hospital": ("obat di RSUD Bima kosong", "52?"),
    "everyday name": ("pungli di samsat tangsel", "36.74"),
    "short name": ("jual beli jabatan di kab kukar", "64.02"),
    "two of one province": ("Bupati Lampung Tengah di Kota Metro", "18?"),
    "words between": ("dinas pekerjaan umum dan penataan ruang way kanan", "18.08"),
    "school": ("kepala SMAN 2 Metro menjual bangku", "18.72"),
    "its own province and no more": (
        "dinas pertanian jateng pati rusak semua",
        "33",
    ),
    "coal in a regency": ("tambang batu bara di Kutai Timur tanpa izin", "64.08"),
    "the surer one": ("Bupati Batang menjamu tamu di Bali", "33.25"),
    # a second sheet, labelled before it was first tried
    "kepala dinas pendidikan kab tuban": (
        "kepala dinas pendidikan kab tuban minta setoran 5 juta tiap kepala sekolah",
        "35.23",
    ),
    "sy guru honorer di lamteng,": (
        "sy guru honorer di lamteng, gaji 3 bln blm dibayar",
        "18.02",
    ),
    "pak, di kota cirebon ada": ("pak, di kota cirebon ada jual beli jabatan", "32.74"),
    "kades kami di kec. natar": (
        "kades kami di kec. natar lampung selatan korupsi dana desa",
        "18.01",
    ),
    "Proyek irigasi di Kab. Indramayu": (
        "Proyek irigasi di Kab. Indramayu 2 miliar fiktif",
        "32.12",
    ),
    "rumah dinas walikota pekalongan direnov": (
        "rumah dinas walikota pekalongan direnov pakai uang pribadi kontraktor",
        "33.75",
    ),
    "bantuan buat korban banjir di": (
        "bantuan buat korban banjir di demak tidak sampai",
        "33.21",
    ),
    "kami warga Kota Batu menolak": ("kami warga Kota Batu menolak", "35.79"),
    "Inspektorat Provinsi Papua tidak menindak": (
        "Inspektorat Provinsi Papua tidak menindak",
        "91",
    ),
    "pengadaan alat kesehatan di RSUD": (
        "pengadaan alat kesehatan di RSUD Kabupaten Sikka mark up",
        "53.07",
    ),
    "kantor bpn kota bekasi minta": ("kantor bpn kota bekasi minta 15 jt", "32.75"),
    "lelang jabatan pemprov jatim": ("lelang jabatan pemprov jatim", "35"),
    "anak kadis kuliah di surabaya": ("anak kadis kuliah di surabaya", "35.78"),
    "kepala upt samsat denpasar": ("kepala upt samsat denpasar", "51.71"),
    "dinas kelautan dan perikanan kota": (
        "dinas kelautan dan perikanan kota bau-bau",
        "74.72",
    ),
    "ketua dprd kab. bone mangkir": ("ketua dprd kab. bone mangkir", "73.08"),
    "jaksa kejari sigi diduga disuap": ("jaksa kejari sigi diduga disuap", "72.10"),
    "kapolres ende menahan saksi": ("kapolres ende menahan saksi", "53.08"),
    "gaji guru di ende belum": ("gaji guru di ende belum dibayar", "53.08"),
    # a third sheet, labelled when the tables were done
    "pak bupati kami di tapanuli": (
        "pak bupati kami di tapanuli utara minta fee",
        "12.02",
    ),
    "kapus di nias selatan jual": ("kapus di nias selatan jual obat", "12.14"),
    "sy pns di pemkot bukittinggi,": (
        "sy pns di pemkot bukittinggi, tunjangan dipotong",
        "13.75",
    ),
    "kadis pupr kab. kampar main": ("kadis pupr kab. kampar main proyek", "14.01"),
    "ada setoran di dinas perhubungan": (
        "ada setoran di dinas perhubungan kota palembang",
        "16.71",
    ),
    "rekrutmen honorer di pemprov bengkulu": (
        "rekrutmen honorer di pemprov bengkulu bayar 40 jt",
        "17",
    ),
    "BPN Kab. Belitung Timur lambat": (
        "BPN Kab. Belitung Timur lambat dan minta uang",
        "19.06",
    ),
    "izin tambang timah di bangka": ("izin tambang timah di bangka selatan", "19.03"),
    "sekda kab karimun dan kroninya": ("sekda kab karimun dan kroninya", "21.02"),
    "suap lelang jabatan gubernur jawa": (
        "suap lelang jabatan gubernur jawa barat",
        "32",
    ),
    "dana bos di sman 1": ("dana bos di sman 1 garut dipakai pribadi", "32.05"),
    "dana hibah koni kota salatiga": ("dana hibah koni kota salatiga", "33.73"),
    "kasus di kulon progo sudah": ("kasus di kulon progo sudah lama", "34.01"),
}

INNOCENT = {
    "stones": "truk membawa batu ke lokasi proyek",
    "on the stones": "motor saya jatuh di batu pinggir jalan",
    "split stone": "kantor dinas memesan batu split fiktif",
    "agate": "kepala dinas diberi cincin batu akik",
    "starch": "beras diganti pati singkong oleh pemasok",
    "starch and rice": "pati beras untuk bansos dikurangi",
    "hurry": "camat buru-buru pergi waktu ditanya",
    "hurry of a regent": "bupati buru-buru keluar lewat belakang",
    "metres": "pipa dua ratus metro tidak pernah dipasang",
    "television": "sudah tayang di Metro TV kemarin",
    "unlucky": "malang nasib warga, bantuan tidak sampai",
    "so unlucky": "nasib malang menimpa guru honorer",
    "attacked": "saya di serang preman setelah melapor",
    "alone": "dia main solo tanpa tender",
    "trunk": "uang disembunyikan di batang pohon",
    "brass": "di kuningan patung itu ada nomor seri",
    "dish": "rapat fiktif di warung masakan padang",
    "rice": "nota nasi padang 200 bungkus",
    "soup": "makan di soto lamongan depan kantor",
    "inn": "kata orang warung tegal itu milik kadis",
    "field": "alat berat menginjak di padang rumput sekolah",
    "hard ground": "di medan berat ini aspal cuma dua senti",
    "hammer": "uang ketok palu dibagi ke anggota dewan",
    "coal": "izin tambang batu bara keluar dalam sehari",
    "mussels": "katering lontong kupang untuk rapat",
    "holy": "pendeta bicara soal roh kudus",
    "full river": "sampah proyek dibuang di sungai penuh lumpur",
    "flat ground": "gedung roboh padahal di tanah datar",
    "new town": "perumahan di kota baru belum diserahkan",
    "west coast": "kapal bantuan karam di pesisir barat",
    "partner": "di mitra kami tidak ada barang itu",
    "tree": "pohon ketapang depan kantor ditebang dan dijual",
    "grave": "uang liang lahat dipungut dua kali",
    "wood": "kayu meranti hasil sitaan hilang",
    "summit": "di puncak acara dibagikan amplop",
    "push": "berkas saya di sorong balik ke loket",
    "crossword": "pegawai main tts di jam kerja",
    "smell": "daging bansos bau-bau dan busuk",
    "bitter gourd": "anggaran pare-pare kering tidak masuk akal",
    "another sentence": "dinas tutup, katanya bandung banjir",
    "street": "aspal jalan bandung dikorupsi",
    "village": "kades batu menjual tanah",
    "bank": "uang masuk rekening bank jambi miliknya",
    "trip": "kadis pergi ke bali memakai uang perjalanan",
    "from": "kontraktornya dari surabaya katanya",
    "coffee": "disuguhi kopi lampung lalu diberi amplop",
    "clothes": "seragam batik solo dipotong dari gaji",
    "a name": "pak bima bendahara memegang uangnya",
    "a shrine": "sesaji di banjar kami ditarik bayaran",
    "no word of place": "Bendahara minta 10 persen dari setiap proyek",
    "many places": "daftar penerima: Bone, Maros, Siak, Sigi, Poso",
    # a second sheet, labelled before it was first tried
    "bendahara puskesmas sukadana potong uang": "bendahara puskesmas sukadana potong uang bidan",
    "mobil dinas dipakai mudik ke": "mobil dinas dipakai mudik ke jogja",
    "pejabat itu orang medan asli": "pejabat itu orang medan asli",
    "pns main judi online waktu": "pns main judi online waktu kerja",
    "batu bata untuk sekolah dikurangi": "batu bata untuk sekolah dikurangi",
    "istri bupati ikut atur proyek": "istri bupati ikut atur proyek",
    "saya takut, tolong rahasiakan": "saya takut, tolong rahasiakan",
    "warga batu merah resah": "warga batu merah resah",
    "tender diatur di bandung dan": "tender diatur di bandung dan jakarta",
    "kabupaten kami miskin": "kabupaten kami miskin",
    "di kabupaten ini semua bayar": "di kabupaten ini semua bayar",
    "walikota menerima mobil": "walikota menerima mobil",
    "dia malang sekali": "dia malang sekali",
    "pasir dari sungai siak dikeruk": "pasir dari sungai siak dikeruk",
    "beli tanah laut untuk reklamasi": "beli tanah laut untuk reklamasi",
    "ada pati beras di gudang": "ada pati beras di gudang bulog",
    "buruh di metro dibayar rendah": "buruh di metro dibayar rendah",
    "uang diserahkan di hotel bandung": "uang diserahkan di hotel bandung",
    "camat metro barat minta uang": "camat metro barat minta uang",
    "sekcam di kec. pati minta": "sekcam di kec. pati minta uang",
    "bansos di kelurahan bandung": "bansos di kelurahan bandung",
    # a third sheet, labelled when the tables were done
    "ibu camat minta iuran": "ibu camat minta iuran",
    "korban pungli kebanyakan buruh": "korban pungli kebanyakan buruh",
    "uangnya buat beli batu bata": "uangnya buat beli batu bata",
    "semen dan pasir dikurangi, batu": "semen dan pasir dikurangi, batu diganti",
    "dia lari ke batam": "dia lari ke batam",
    "kabarnya lulusan universitas padang": "kabarnya lulusan universitas padang",
    "parkir liar di depan metro": "parkir liar di depan metro mall",
    "saya kirim dari palu godam": "saya kirim dari palu godam",
    "mesin pompa merek medan jaya": "mesin pompa merek medan jaya",
    "kawasan puncak itu milik pejabat": "kawasan puncak itu milik pejabat",
    "bupati pulang kampung": "bupati pulang kampung",
    "sapi dari bima dijual lagi": "sapi dari bima dijual lagi",
    "kain songket palembang untuk suap": "kain songket palembang untuk suap",
    "jeruk pontianak satu peti untuk": "jeruk pontianak satu peti untuk kadis",
    "pegawai orang jawa barat semua": "pegawai orang jawa barat semua",
    "guru ngaji di mushola kami": "guru ngaji di mushola kami",
    "solo run saja katanya": "solo run saja katanya",
}


@pytest.mark.parametrize(("text", "wanted"), ANSWERS.items(), ids=ANSWERS)
def test_an_answer_names_its_place(text: str, wanted: str) -> None:
    assert label(places.answered(text, TABLE, None)) == wanted


@pytest.mark.parametrize(("text", "wanted"), TOLD.values(), ids=TOLD)
def test_a_story_names_its_place_beside_a_word_that_says_so(
    text: str, wanted: str
) -> None:
    assert label(places.told(text, TABLE, None)) == wanted


@pytest.mark.parametrize("text", INNOCENT.values(), ids=INNOCENT)
def test_a_story_that_only_uses_the_word_names_no_place(text: str) -> None:
    assert places.told(text, TABLE, "18") is None


def forms(name: str) -> Iterator[str]:
    """Yield a name as it may be written: also shouted, joined, and of one word."""
    kind, _, bare = name.partition(" ")
    yield from (name, name.upper(), f"di {name}", f"{kind} {bare.replace(' ', '')}")


def test_every_official_name_is_found_by_itself() -> None:
    places_by_code = {**BOOK.provinces.names, **BOOK.regencies.names}
    assert len(places_by_code) == 552
    missed = [
        (code, form)
        for code, name in places_by_code.items()
        for form in forms(name)
        if label(places.answered(form, TABLE, None)) != code
    ]
    missed += [
        (code, f"told of {name}")
        for code, name in places_by_code.items()
        if label(places.told(f"korupsi di {name}", TABLE, None)) != code
    ]
    assert missed == []


def test_a_bare_name_is_found_or_stays_open_with_its_twin() -> None:
    missed = []
    for code, name in BOOK.regencies.names.items():
        place = places.answered(name.partition(" ")[2].casefold(), TABLE, code[:2])
        if place is None or not {code} <= {place.regency, *place.among, *HOMES}:
            missed.append(name)
    assert missed == []


HOMES = {"15.71", "17.71", "34.71", "75.01", "75.71"}
"""Whose bare names are the provinces' first."""


def slips(name: str) -> Iterator[str]:
    """Yield a name without a letter, with one too many, and with two changed."""
    middle = len(name) // 2
    yield name[:middle] + name[middle + 1 :]
    yield name + name[-1]
    yield name[:-2] + name[-1] + name[-2]


def test_one_slip_in_an_official_name_is_understood_and_never_as_another_province() -> (
    None
):
    tried, wrong, missed = 0, set(), set()
    for code, whole in BOOK.regencies.names.items():
        name = whole.partition(" ")[2]
        for slip in slips(name):
            place = places.answered(slip, TABLE, None)
            tried += len(name) > 5
            if place is None and len(name) > 5:
                missed.add(slip)
            elif place is not None and place.province != code[:2]:
                wrong.add(slip)
    assert wrong == {"Sika", "Bangil"}, "Siak and Bangli: with a slip another name"
    assert tried > 1300
    assert len(missed) <= 20, missed


OWN = {
    "one name in two provinces": ("Banjar", "63", "63.03"),
    "the other province": ("Banjar", "32", "32.79"),
    "no province of its": ("Banjar", "18", "-"),
    "a seat": ("Martapura", "16", "16.08"),
    "two places": ("Kota Bandung dan Kota Surabaya", "35", "35.78"),
    "two provinces": ("dari Jambi ke Riau", "15", "15"),
    "not against what is said": ("Banjar, Kalsel", "32", "63.03"),
    "not against the surer name": ("Kota Medan, kantor pusat Jakarta", "31", "12.71"),
    "nor instead of nothing": ("kantor pusat", "31", "-"),
}


@pytest.mark.parametrize(("text", "own", "wanted"), OWN.values(), ids=OWN)
def test_the_own_province_decides_between_equals(
    text: str, own: str, wanted: str
) -> None:
    assert label(places.answered(text, TABLE, own)) == wanted


def test_twins_of_one_province_stay_open_as_a_pair() -> None:
    assert places.answered("Bandung", TABLE, None) == Place(
        "32", None, ("32.04", "32.73")
    )
    assert places.answered("Bandung, tepatnya Kota Bandung", TABLE, None) == Place(
        "32", "32.73"
    )


def test_a_table_of_fewer_provinces_knows_no_place_of_the_others() -> None:
    rows = {"18": BOOK.provinces.provinces["18"]}
    table = Gazetteer.of(
        BOOK.provinces.model_copy(update={"provinces": rows}),
        BOOK.regencies,
        BOOK.place_words,
    )
    assert label(places.answered("Kota Metro", table, None)) == "18.72"
    assert label(places.answered("Kota Jambi", table, None)) == "-"
    assert label(places.answered("tangsel", table, "36")) == "-"


PROVINCES = Gazetteer.of(BOOK.provinces, Regencies(), PlaceWords())
PROVINCES_ONLY = {
    "as the question asks": ("Dinas X, Kab. Y, Jambi", "15"),
    "short form": ("kantor camat, kab. bandung barat, JABAR", "32"),
    "longest name": ("Sorong, Papua Barat Daya", "96"),
    "not the mainland": ("Kepulauan Riau", "21"),
    "mainland": ("Pekanbaru, Riau.", "14"),
    "twice the same": ("Yogyakarta, DIY", "34"),
    "two provinces": ("dari Jambi ke Riau", "-"),
    "one inside the other and beside it": ("Papua Barat dan Papua", "-"),
    "part of a word": ("Jambian", "-"),
    "a slip, which no table allows here": ("Jmabi", "-"),
    "none": ("kantor pusat", "-"),
    "nothing": ("", "-"),
}


@pytest.mark.parametrize(
    ("text", "wanted"), PROVINCES_ONLY.values(), ids=PROVINCES_ONLY
)
def test_a_jurisdiction_with_provinces_alone_finds_them_by_name(
    text: str, wanted: str
) -> None:
    assert label(places.answered(text, PROVINCES, None)) == wanted


WORDS = sorted({*TABLE.words.roles, *TABLE.words.office.words, "Batu", "Bandung", "x"})
NAMED = sorted({*BOOK.regencies.names.values(), *BOOK.provinces.names.values(), *WORDS})


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from([*NAMED, ",", ".", "\n", "-"])).map(" ".join),
    ),
    st.sampled_from([None, "18", "32", "xx"]),
)
def test_any_text_names_a_known_place_or_none(text: str, own: str | None) -> None:
    for place in (places.answered(text, TABLE, own), places.told(text, TABLE, own)):
        if place is not None:
            regencies = {place.regency, *place.among} - {None}
            assert place.province in BOOK.provinces.names
            assert all(BOOK.regencies.names[str(code)] for code in regencies)
            assert {str(code)[:2] for code in regencies} <= {place.province}
            assert place.regency is None or place.among == ()


HOSTILE = {
    "one word": "a",
    "single letters": "a.",
    "a marker again and again": "kota ",
    "an ordinary word": "batu x ",
    "beginnings of a name": "tanjung jabung ",
    "many names": " ".join(list(BOOK.regencies.names.values())[:40]) + " ",
    "offices without a place": "dinas x x x x batu ",
    "letters that fold to two": "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}ß",
}


@pytest.mark.parametrize("part", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_no_more_than_another(part: str) -> None:
    """0.1 to 30 ms for 16 kB when it was measured."""

    def look(size: int) -> None:
        text = part * (size // len(part))
        places.answered(text, TABLE, "18")
        places.told(text, TABLE, "18")

    assert is_linear(look, 4_000)
