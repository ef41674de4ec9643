"""Check digits of numbers that stand for one person or account: they tell such a number from any other."""

import re
from datetime import date

__all__ = [
    "aadhaar",
    "cpf",
    "dni",
    "iban",
    "luhn",
    "nir",
    "pesel",
    "resident_id",
    "tax_code",
]

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_RESIDENT_LETTERS = "10X98765432"
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_VERHOEFF_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_CENTURIES = (1900, 2000, 2100, 2200, 1800)


def luhn(digits: str) -> bool:
    """Whether digits pass the Luhn check: payment cards, and some national numbers.

    Source:
        ISO/IEC 7812-1, annex B.

    >>> luhn("79927398713"), luhn("79927398710")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the largest digit
    return total % 10 == 0


def iban(text: str, length: int) -> bool:
    """Whether a bank account number of its country's length passes mod 97.

    Source:
        ISO 13616 and ISO 7064 (MOD 97-10).

    >>> iban("GB82WEST12345698765432", 22)
    True
    """
    turned = text[4:] + text[:4]
    return len(text) == length and int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def dni(text: str) -> bool:
    """Whether a Spanish identity number (DNI, or NIE with X, Y, Z first) has its control letter.

    Source:
        Real Decreto 1553/2005, art. 11; number modulo 23.

    >>> dni("12345678Z"), dni("X1234567L"), dni("12345678A")
    (True, True, False)
    """
    number = text[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return _DNI_LETTERS[int(number) % 23] == text[-1]


def cpf(digits: str) -> bool:
    """Whether a Brazilian taxpayer number has its two check digits; eleven equal digits have not.

    Source:
        Receita Federal; weights 10 to 2 and 11 to 2, modulo 11.

    >>> cpf("52998224725"), cpf("11111111111")
    (True, False)
    """
    if len(set(digits)) == 1:
        return False
    for size in (9, 10):
        total = sum(int(digit) * (size + 1 - place) for place, digit in enumerate(digits[:size]))
        if int(digits[size]) != total * 10 % 11 % 10:
            return False
    return True


def nir(digits: str) -> bool:
    """Whether a French social security number of fifteen digits has its key, 97 minus the number modulo 97.

    Source:
        INSEE, definition of the NIR.

    >>> nir("255081416802538")
    True
    """
    return int(digits[13:]) == 97 - int(digits[:13]) % 97


def pesel(digits: str) -> bool:
    """Whether a Polish number holds a real date of birth and its check digit (weights 1, 3, 7, 9).

    Source:
        Ustawa o ewidencji ludnosci (2010), art. 15.

    >>> pesel("44051401359"), pesel("44051401358")
    (True, False)
    """
    total = sum(int(digit) * (1, 3, 7, 9)[place % 4] for place, digit in enumerate(digits[:10]))
    month = int(digits[2:4])
    year = _CENTURIES[month // 20] + int(digits[:2])
    return (10 - total % 10) % 10 == int(digits[10]) and _is_date(year, month % 20, int(digits[4:6]))


def resident_id(text: str) -> bool:
    """Whether a Chinese resident number holds a real date and its check character.

    Source:
        GB 11643-1999, ISO 7064 (MOD 11-2).

    >>> resident_id("11010519491231002X")
    True
    """
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(text[:17]))
    born = _is_date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    return born and _RESIDENT_LETTERS[total % 11] == text[17]


def aadhaar(digits: str) -> bool:
    """Whether an Indian twelve-digit number passes the Verhoeff check.

    Source:
        Verhoeff (1969), Error detecting decimal codes, the dihedral scheme.

    >>> aadhaar("234123412346"), aadhaar("234123412347")
    (True, False)
    """
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = _VERHOEFF_PERMUTATION[value]
        check = _dihedral(check, value)
    return check == 0


def tax_code(text: str) -> bool:
    """Whether an Italian tax code of sixteen characters has its control letter.

    Source:
        Decreto ministeriale 23 December 1976, art. 7.

    >>> tax_code("RSSMRA85T10A562S")
    True
    """
    if re.fullmatch(r"[A-Z0-9]{15}[A-Z]", text) is None:
        return False
    total = 0
    for place, sign in enumerate(text[:15]):
        value = int(sign) if sign.isdigit() else ord(sign) - ord("A")
        total += value if place % 2 else _ODD[value]
    return chr(ord("A") + total % 26) == text[15]


def _dihedral(one: int, other: int) -> int:
    """Product in the dihedral group of ten elements: rotations 0 to 4, reflections 5 to 9."""
    if one < 5:  # noqa: PLR2004 - the order of a rotation
        return (one + other) % 5 if other < 5 else 5 + (one + other) % 5  # noqa: PLR2004 - as above
    return 5 + (one - other) % 5 if other < 5 else (one - other) % 5  # noqa: PLR2004 - as above


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
