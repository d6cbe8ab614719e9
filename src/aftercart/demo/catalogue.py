"""What the demo shop sells, to whom, where and how it is paid: constants, all made up."""

from dataclasses import dataclass
from typing import Any, Final

Place = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Product:
    """A product: its picture's `kind`, prices in liras, tax in percent, and what it comes in."""

    kind: str
    base_code: str
    name: str
    price: int
    tax_rate: int
    colours: tuple[tuple[str, str], ...]
    sizes: tuple[str, ...] = ()
    is_final_sale: bool = False


_NAVY = ("navy", "Lacivert")
_WHITE = ("white", "Beyaz")
_BLACK = ("black", "Siyah")
_GREEN = ("green", "Yeşil")
_RED = ("red", "Kırmızı")
_SAND = ("sand", "Kum")
_CLOTHES = ("XS", "S", "M", "L", "XL")

PRODUCTS: Final = (
    Product("shirt", "GML-100", "Keten Gömlek", 899, 10, (_WHITE, _NAVY, _SAND), _CLOTHES),
    Product("shirt", "GML-200", "Oxford Shirt", 1099, 10, (_WHITE, _NAVY), _CLOTHES),
    Product("dress", "ELB-110", "Çiçekli Midi Elbise", 1499, 10, (_RED, _GREEN), _CLOTHES),
    Product("dress", "ELB-210", "Linen Summer Dress", 1799, 10, (_SAND, _WHITE), _CLOTHES),
    Product("jacket", "CKT-120", "Suya Dayanıklı Mont", 3299, 10, (_BLACK, _GREEN), _CLOTHES),
    Product("jacket", "CKT-220", "Denim Jacket", 1999, 10, (_NAVY,), _CLOTHES),
    Product("shoe", "AYK-130", "Deri Spor Ayakkabı", 2499, 10, (_WHITE, _BLACK), ("38", "40", "42", "44")),
    Product("shoe", "AYK-230", "Trail Running Shoe", 3199, 10, (_GREEN, _BLACK), ("39", "41", "43")),
    Product("bag", "CNT-140", "El Yapımı Deri Çanta", 2799, 20, (_BLACK, _SAND)),
    Product("bag", "CNT-240", "Canvas Weekender", 1399, 20, (_NAVY, _SAND)),
    Product("lamp", "LMB-150", "Seramik Masa Lambası", 1249, 20, (_WHITE, _GREEN)),
    Product("lamp", "LMB-250", "Arc Floor Lamp", 4499, 20, (_BLACK,)),
    Product("mug", "KPA-160", "İznik Desenli Kupa", 249, 20, (_NAVY, _RED)),
    Product("mug", "KPA-260", "Stoneware Mug", 199, 20, (_SAND, _WHITE)),
    Product("headphones", "KLK-170", "Gürültü Önleyici Kulaklık", 5999, 20, (_BLACK, _WHITE)),
    Product("headphones", "KLK-270", "Wireless Earbuds", 2299, 20, (_BLACK, _WHITE), is_final_sale=True),
    Product("toy", "OYN-180", "Ahşap Tren Seti", 749, 20, (_RED,)),
    Product("toy", "OYN-280", "Building Blocks, 120 Pieces", 649, 20, (_GREEN,)),
    Product("book", "KTP-190", "İstanbul Yemekleri", 320, 0, (_RED,)),
    Product("book", "KTP-290", "A Short History of Tea", 280, 0, (_GREEN,)),
)


def _place(country: str, city: str, township: str, district: str, line: str, postcode: str) -> Place:
    names = {"tr": "Türkiye", "de": "Germany", "at": "Austria"}
    pks = {"tr": 1, "de": 2, "at": 3}
    return {
        "country": {"pk": pks[country], "name": names[country], "code": country},
        "city": city,
        "township": township,
        "district": district,
        "line": line,
        "postcode": postcode,
    }


TURKISH_PLACES: Final = (
    _place("tr", "İstanbul", "Kadıköy", "Caferağa Mah.", "Moda Caddesi No: 14 D: 5", "34710"),
    _place("tr", "Ankara", "Çankaya", "Kavaklıdere Mah.", "Tunalı Hilmi Caddesi No: 82 D: 11", "06680"),
    _place("tr", "İzmir", "Karşıyaka", "Bostanlı Mah.", "Cemal Gürsel Caddesi No: 33 D: 2", "35590"),
    _place("tr", "Bursa", "Nilüfer", "Görükle Mah.", "Atatürk Caddesi No: 7", "16285"),
    _place("tr", "Antalya", "Muratpaşa", "Şirinyalı Mah.", "Lara Caddesi No: 120 D: 8", "07160"),
    _place("tr", "Adana", "Seyhan", "Reşatbey Mah.", "Ziyapaşa Bulvarı No: 41", "01120"),
    _place("tr", "Eskişehir", "Tepebaşı", "Eskibağlar Mah.", "Üniversite Caddesi No: 19 D: 3", "26170"),
    _place("tr", "Trabzon", "Ortahisar", "Kalkınma Mah.", "Sahil Yolu Caddesi No: 5", "61080"),
    _place("tr", "Gaziantep", "Şehitkamil", "İncilipınar Mah.", "Muammer Aksoy Bulvarı No: 66", "27090"),
    _place("tr", "Muğla", "Bodrum", "Gümbet Mah.", "Adnan Menderes Caddesi No: 27", "48400"),
)
EUROPEAN_PLACES: Final = (
    _place("de", "Berlin", "Mitte", "Prenzlauer Berg", "Kastanienallee 77", "10435"),
    _place("de", "Hamburg", "Altona", "Ottensen", "Bahrenfelder Straße 120", "22765"),
    _place("de", "München", "Maxvorstadt", "Universität", "Schellingstraße 41", "80799"),
    _place("at", "Wien", "Neubau", "Spittelberg", "Siebensterngasse 9", "1070"),
)
#: Where the shop has shops of its own to pick orders up from.
RETAIL_STORES: Final = {
    "tr": {"pk": 11, "name": "Aftercart Nişantaşı", "erp_code": "M011", "phone_number": "+902122345678"},
    "de": {"pk": 21, "name": "Aftercart Berlin Mitte", "erp_code": "M021", "phone_number": "+493012345678"},
}

FIRST_NAMES: Final = (
    "Zeynep", "Elif", "Defne", "Emine", "Selin", "Deniz", "Ahmet", "Mustafa", "Can", "Emre", "Burak", "Ömer",
    "Şule", "Gizem", "İrem", "Kerem", "Ozan", "Çağla", "Barış", "Ece",
)  # fmt: skip
LAST_NAMES: Final = (
    "Kaya", "Çelik", "Şahin", "Yıldız", "Öztürk", "Aydın", "Arslan", "Doğan", "Koç", "Kurt", "Özkan", "Polat",
)  # fmt: skip
#: First and last name, and the places of those who pay in euros.
EUROPEANS: Final = (("Lukas", "Weber"), ("Hannah", "Fischer"), ("Jonas", "Wagner"), ("Lena", "Hofer"))

CAMPAIGNS: Final = (
    {"pk": 301, "name": "Sezon Sonu %10", "slug": "sezon-sonu"},
    {"pk": 302, "name": "Summer Sale 15%", "slug": "summer-sale"},
    {"pk": 303, "name": "Hoş Geldin İndirimi %5", "slug": "hos-geldin"},
)
#: Percent, in the order of `CAMPAIGNS`.
CAMPAIGN_PERCENT: Final = (10, 15, 5)

CREDIT_CARD: Final = {"pk": 1, "name": "Kredi Kartı", "payment_type": "credit_card", "slug": "kredi-karti"}
FUNDS_TRANSFER: Final = {"pk": 2, "name": "Havale / EFT", "payment_type": "funds_transfer", "slug": "havale"}
PAY_ON_DELIVERY: Final = {
    "pk": 3,
    "name": "Kapıda Ödeme",
    "payment_type": "pay_on_delivery",
    "slug": "kapida-odeme",
}
BANKS: Final = (
    {"pk": 1, "name": "Garanti BBVA", "slug": "garanti", "logo": None},
    {"pk": 2, "name": "İş Bankası", "slug": "is-bankasi", "logo": None},
)
SHIPPING_COMPANIES: Final = ("Yurtiçi Kargo", "Aras Kargo", "MNG Kargo")
EURO_RATE: Final = 40
