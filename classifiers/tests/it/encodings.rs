//! Text in other encodings than UTF-8, told by its bytes.

use classifiers::TextDecoder;
use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253,
};

use crate::support::classify_bytes;

/// Names of people and places as a table of one of these languages has them.
const TABLES: [(&str, &Encoding, &str); 9] = [
    (
        "windows-1251",
        WINDOWS_1251,
        "Город;Область;Население\nТверь;Тверская;424969\nПсков;Псковская;209840\nТула;Тульская;475161\n",
    ),
    (
        "windows-1250",
        WINDOWS_1250,
        "Miasto;Województwo;Ludność\nŁódź;łódzkie;664071\nGdańsk;pomorskie;486345\nKraków;małopolskie;800653\nRzeszów;podkarpackie;198476\n",
    ),
    (
        "windows-1253",
        WINDOWS_1253,
        "Πόλη;Περιφέρεια;Πληθυσμός\nΑθήνα;Αττική;643452\nΠάτρα;Δυτική Ελλάδα;173600\nΛάρισα;Θεσσαλία;148562\n",
    ),
    (
        "windows-1252",
        WINDOWS_1252,
        "Ort;Bundesland;Preis\nKöln;Nordrhein-Westfalen;12 €\nMünchen;Bayern;14 €\nGörlitz;Sachsen;9 €\n",
    ),
    (
        "iso-8859-1",
        WINDOWS_1252,
        "Ville;Région;Population\nOrléans;Centre-Val de Loire;116238\nBésançon;Franche-Comté;117912\nNîmes;Occitanie;148561\n",
    ),
    (
        "shift_jis",
        SHIFT_JIS,
        "都道府県,市区町村,人口\n北海道,札幌市,1973395\n青森県,青森市,275192\n岩手県,盛岡市,289731\n",
    ),
    (
        "gbk",
        GBK,
        "省份,城市,人口\n广东省,广州市,18676605\n浙江省,杭州市,11936010\n四川省,成都市,20937757\n",
    ),
    (
        "big5",
        BIG5,
        "縣市,區域,人口\n臺北市,大安區,309969\n新北市,板橋區,557114\n高雄市,鳳山區,358000\n",
    ),
    (
        "euc-kr",
        EUC_KR,
        "시도,시군구,인구\n서울특별시,강남구,545169\n부산광역시,해운대구,404667\n경기도,수원시,1190964\n",
    ),
];

#[test]
fn code_pages() {
    for (name, encoding, text) in TABLES {
        let (bytes, _, lost) = encoding.encode(text);
        assert!(!lost, "{name}: the table has characters that the encoding lacks");
        let verdict = classify_bytes("data.csv", &bytes).expect("a verdict");
        assert_eq!(verdict.encoding.as_deref(), Some(name));
        let header = text.lines().next().expect("a header");
        let names: Vec<&str> = header.split([',', ';']).collect();
        let found: Vec<&str> = verdict
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(found, names, "{name}");
        assert!(verdict.reasons[0].contains(name), "{name}: {:?}", verdict.reasons);

        let mut decoder = TextDecoder::new(name).expect("an encoding");
        let mut decoded = String::new();
        for piece in bytes.chunks(3) {
            decoder.decode(piece, false, &mut decoded);
        }
        decoder.decode(&[], true, &mut decoded);
        assert_eq!(decoded, text, "{name}");
    }
}

#[test]
fn utf16_with_and_without_its_mark() {
    let text = "id;Ort;Größe\n1;Köln;1,5\n2;Łódź;2,5\n3;Тверь;3,5\n";
    for mark in ["", "\u{feff}"] {
        let marked = format!("{mark}{text}");
        let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (name, bytes) in [("utf-16le", little), ("utf-16be", big)] {
            let verdict = classify_bytes("data.csv", &bytes).expect("a verdict");
            assert_eq!(verdict.encoding.as_deref(), Some(name));
            let names: Vec<&str> = verdict
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            assert_eq!(names, ["id", "Ort", "Größe"], "{name} {mark:?}");

            let mut decoder = TextDecoder::new(name).expect("an encoding");
            let mut decoded = String::new();
            for piece in bytes.chunks(3) {
                decoder.decode(piece, false, &mut decoded);
            }
            decoder.decode(&[], true, &mut decoded);
            assert_eq!(decoded, text, "the mark is no text");
        }
    }
}

#[test]
fn a_few_odd_bytes_are_no_other_language() {
    for (bytes, name) in [
        (&b"name,n\nJos\xe9,1\nZo\xeb,2\n"[..], "iso-8859-1"),
        (&b"name,n\n\x93Jo\x94,1\nZoe,2\n"[..], "windows-1252"),
        ("name,n\nJosé,1\nZoë,2\n".as_bytes(), "utf-8"),
        ("\u{feff}name,n\nJosé,1\n".as_bytes(), "utf-8"),
    ] {
        let verdict = classify_bytes("data.csv", bytes).expect("a verdict");
        assert_eq!(verdict.encoding.as_deref(), Some(name));
    }
    assert!(TextDecoder::new("klingon").is_none());
}
