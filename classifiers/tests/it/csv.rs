//! CSV files and text that only looks like CSV.

use expect_test::{Expect, expect};

use crate::support::{classify_bytes, show};

#[track_caller]
fn check(name: &str, text: &str, expected: Expect) {
    check_bytes(name, text.as_bytes(), expected);
}

#[track_caller]
fn check_bytes(name: &str, bytes: &[u8], expected: Expect) {
    expected.assert_eq(&show(&classify_bytes(name, bytes)));
}

#[test]
fn semicolons_with_decimal_commas() {
    check(
        "a.csv",
        "x;y;z\n1,5;2,5;abc\n3,5;4,25;def\n10,0;7,5;ghi\n",
        expect![[r#"
            csv 1 delimiter ";" header 3 rows sampled
              x: string — 3 of 3 values are numbers with decimal commas, such as "1,5" (row 1): only text holds them as written
              y: string — 3 of 3 values are numbers with decimal commas, such as "2,5" (row 1): only text holds them as written
              z: string — 3 of 3 values are text
              because delimiter: 4 of the first 4 records have 3 fields when split at the semicolon
              because header: every name is text, and 2 of 3 columns below are not
        "#]],
    );
}

#[test]
fn tabs_win_over_commas_in_text() {
    check(
        "people.txt",
        "name\tage\nSmith, John\t42\nDoe, Jane\t37\nRoe, Richard\t51\n",
        expect![[r#"
        csv 1 delimiter "\t" header 3 rows sampled
          name: string — 3 of 3 values are text
          age: bigint — 3 of 3 values parse as bigint
          because delimiter: 4 of the first 4 records have 2 fields when split at the tab
          because header: every name is text, and 1 of 2 columns below are not
    "#]],
    );
}

#[test]
fn bars_and_no_header() {
    check(
        "a.txt",
        "1|Toy Story (1995)|Animation\n2|Jumanji (1995)|Adventure\n3|Heat (1995)|Crime\n",
        expect![[r#"
        csv 1 delimiter "|" no-header 3 rows sampled
          col0: bigint — 3 of 3 values parse as bigint
          col1: string — 3 of 3 values are text
          col2: string — 3 of 3 values are text
          because delimiter: 3 of the first 3 records have 3 fields when split at the bar
          because header: none, because the first row holds "1", which is a value
    "#]],
    );
}

#[test]
fn bars_inside_comma_separated_values() {
    check(
        "movies.csv",
        "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation|Children\n2,Jumanji (1995),Adventure|Children\n\
         3,\"American President, The (1995)\",Comedy|Drama\n4,Heat (1995),Action|Crime\n",
        expect![[r#"
            csv 1 delimiter "," header 4 rows sampled
              movieId: bigint — 4 of 4 values parse as bigint
              title: string — 4 of 4 values are text
              genres: string — 4 of 4 values are text
              because delimiter: 5 of the first 5 records have 3 fields when split at the comma
              because header: every name is text, and 1 of 3 columns below are not
        "#]],
    );
}

#[test]
fn hive_delimiter() {
    check(
        "000000_0",
        "7\u{1}alice\u{1}\\N\n8\u{1}bob\u{1}2020-01-01\n",
        expect![[r#"
        csv 1 delimiter "\u{1}" no-header 2 rows sampled
          col0: bigint — 2 of 2 values parse as bigint
          col1: string — 2 of 2 values are text
          col2: date? — 1 of 1 values parse as date; 1 more is null
          because delimiter: 2 of the first 2 records have 3 fields when split at the Ctrl-A
          because header: none, because the first row holds "7", which is a value
    "#]],
    );
}

#[test]
fn colons_as_in_passwd() {
    check(
        "passwd",
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/bin/sh\n",
        expect![[r#"
            csv 1 delimiter ":" no-header 3 rows sampled
              col0: string — 3 of 3 values are text
              col1: string — 3 of 3 values are text
              col2: bigint — 3 of 3 values parse as bigint
              col3: bigint — 3 of 3 values parse as bigint
              col4: string — 3 of 3 values are text
              col5: string — 3 of 3 values are text
              col6: string — 3 of 3 values are text
              because delimiter: 3 of the first 3 records have 7 fields when split at the colon
              because header: none, because the first row holds "0", which is a value
        "#]],
    );
}

#[test]
fn blanks_between_numbers() {
    check(
        "points.txt",
        "1.5 2.5 3\n4.5 5.5 6\n7.5 8.5 9\n",
        expect![[r#"
        csv 1 delimiter " " no-header 3 rows sampled
          col0: double — 3 of 3 values parse as double
          col1: double — 3 of 3 values parse as double
          col2: bigint — 3 of 3 values parse as bigint
          because delimiter: 3 of the first 3 records have 3 fields when split at the space
          because header: none, because the first row holds "1.5", which is a value
    "#]],
    );
}

#[test]
fn single_quotes() {
    check(
        "a.csv",
        "id,text\n1,'a, b'\n2,'c, d, e'\n3,'f'\n",
        expect![[r#"
        csv 1 delimiter "," quote Some("'") header 3 rows sampled
          id: bigint — 3 of 3 values parse as bigint
          text: string — 3 of 3 values are text
          because delimiter: 4 of the first 4 records have 2 fields when split at the comma
          because header: every name is text, and 1 of 2 columns below are not
    "#]],
    );
}

#[test]
fn backslash_escapes() {
    check(
        "a.csv",
        "id,text\n1,\"say \\\"hi\\\", twice\"\n2,\"no\"\n3,\"a \\\"b\\\"\"\n",
        expect![[r#"
        csv 1 delimiter "," escape "\\" header 3 rows sampled
          id: bigint — 3 of 3 values parse as bigint
          text: string — 3 of 3 values are text
          because delimiter: 4 of the first 4 records have 2 fields when split at the comma
          because header: every name is text, and 1 of 2 columns below are not
    "#]],
    );
}

#[test]
fn quotes_that_mean_inches() {
    check(
        "pipes.csv",
        "sku,pipe,price\n1,5\" copper,3.50\n2,6\" steel,4.50\n3,7\" lead,1.00\n",
        expect![[r#"
        csv 1 delimiter "," quote None header 3 rows sampled
          sku: bigint — 3 of 3 values parse as bigint
          pipe: string — 3 of 3 values are text
          price: double — 3 of 3 values parse as double
          because delimiter: 4 of the first 4 records have 3 fields when split at the comma
          because header: every name is text, and 2 of 3 columns below are not
    "#]],
    );
}

#[test]
fn carriage_returns_alone() {
    check(
        "mac.csv",
        "a,b\r1,2\r3,4\r",
        expect![[r#"
        csv 1 delimiter "," lines end with "\r" header 2 rows sampled
          a: bigint — 2 of 2 values parse as bigint
          b: bigint — 2 of 2 values parse as bigint
          because delimiter: 3 of the first 3 records have 2 fields when split at the comma
          because header: every name is text, and 2 of 2 columns below are not
    "#]],
    );
}

#[test]
fn preamble_and_total() {
    check(
        "report.csv",
        "Sales report\nGenerated by Finance on Monday\n\nregion,units,revenue\nnorth,10,100.5\nsouth,20,200.0\neast,5,9.5\n\
         west,7,8.25\nTotal: 4\n",
        expect![[r#"
            csv 1 delimiter "," skip 3 header 4 rows sampled
              region: string — 4 of 4 values are text
              units: bigint — 4 of 4 values parse as bigint
              revenue: double — 4 of 4 values parse as double
              because delimiter: 5 of the first 5 records have 3 fields when split at the comma
              because header: every name is text, and 2 of 3 columns below are not
              because the first 3 lines are not part of the table
              because of the records at the end, 1 is not data: a note, or a count of rows
        "#]],
    );
}

#[test]
fn comments_above_and_between() {
    check(
        "a.csv",
        "# exported\n# by a tool, on a day\nid,value\n1,2.5\n# checkpoint\n2,3.5\n",
        expect![[r##"
        csv 1 delimiter "," comment "#" skip 2 header 2 rows sampled
          id: bigint — 2 of 2 values parse as bigint
          value: double — 2 of 2 values parse as double
          because delimiter: 3 of the first 3 records have 2 fields when split at the comma
          because header: every name is text, and 2 of 2 columns below are not
          because the first 2 lines are not part of the table
    "##]],
    );
}

#[test]
fn header_written_as_a_comment() {
    check(
        "vcf.tsv",
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\nchr1\t100\trs1\nchr1\t200\trs2\n",
        expect![[r#"
        csv 1 delimiter "\t" skip 1 header 2 rows sampled
          #CHROM: string — 2 of 2 values are text
          POS: bigint — 2 of 2 values parse as bigint
          ID: string — 2 of 2 values are text
          because delimiter: 3 of the first 3 records have 3 fields when split at the tab
          because header: every name is text, and 1 of 3 columns below are not
          because the first 1 lines are not part of the table
    "#]],
    );
}

#[test]
fn text_only_with_header() {
    check(
        "zones.csv",
        "borough,zone,service_zone\nQueens,Jamaica Bay,Boro Zone\nBronx,Allerton,Boro Zone\nManhattan,Alphabet City,Yellow \
         Zone\nStaten Island,Arden Heights,Boro Zone\n",
        expect![[r#"
            csv 0.97 delimiter "," header 4 rows sampled
              borough: string — 4 of 4 values are text
              zone: string — 4 of 4 values are text
              service_zone: string — 4 of 4 values are text
              because delimiter: 5 of the first 5 records have 3 fields when split at the comma
              because header: all columns are text, but the first row reads like names (3 of 3 are usual ones) and its cells do not come back below
        "#]],
    );
}

#[test]
fn text_only_without_header() {
    check(
        "a.csv",
        "red,apple\ngreen,pear\nred,cherry\nyellow,banana\nred,apple\n",
        expect![[r#"
        csv 0.97 delimiter "," no-header 5 rows sampled
          col0: string — 5 of 5 values are text
          col1: string — 5 of 5 values are text
          because delimiter: 5 of the first 5 records have 2 fields when split at the comma
          because header: none, because "red" of the first row comes back below
    "#]],
    );
}

#[test]
fn names_without_header() {
    check(
        "a.csv",
        "John,Smith,London\nJane,Doe,Paris\nMax,Muster,Berlin\n",
        expect![[r#"
            csv 0.88 delimiter "," no-header 3 rows sampled
              col0: string — 3 of 3 values are text
              col1: string — 3 of 3 values are text
              col2: string — 3 of 3 values are text
              because delimiter: 3 of the first 3 records have 3 fields when split at the comma
              because header: none, because all columns are text and the first row is like those below
        "#]],
    );
}

#[test]
fn header_only() {
    check(
        "a.csv",
        "id,name,created_at\n",
        expect![[r#"
        csv 1 delimiter "," header 0 rows
          id: void — there are no rows to go by
          name: void — there are no rows to go by
          created_at: void — there are no rows to go by
          because delimiter: 1 of the first 1 records have 3 fields when split at the comma
          because header: the only row reads like names
    "#]],
    );
}

#[test]
fn years_as_names() {
    check(
        "gdp.csv",
        "country,2019,2020,2021\nPeru,1.5,2.5,3.5\nChad,0.5,0.25,0.75\n",
        expect![[r#"
        csv 1 delimiter "," header 2 rows sampled
          country: string — 2 of 2 values are text
          2019: double — 2 of 2 values parse as double
          2020: double — 2 of 2 values parse as double
          2021: double — 2 of 2 values parse as double
          because delimiter: 3 of the first 3 records have 4 fields when split at the comma
          because header: its numbers are years in order, unlike those below
    "#]],
    );
}

#[test]
fn repeated_and_missing_names() {
    check(
        "a.csv",
        "id,Id,,name,name\n1,2,3,x,y\n4,5,6,z,w\n",
        expect![[r#"
        csv 1 delimiter "," header 2 rows sampled
          id: bigint — 2 of 2 values parse as bigint
          Id_1: bigint — 2 of 2 values parse as bigint
          col2: bigint — 2 of 2 values parse as bigint
          name: string — 2 of 2 values are text
          name_1: string — 2 of 2 values are text
          because delimiter: 3 of the first 3 records have 5 fields when split at the comma
          because header: every name is text, and 2 of 4 columns below are not
    "#]],
    );
}

#[test]
fn row_names_as_r_writes_them() {
    check(
        "iris.csv",
        "\"length\",\"width\"\n\"1\",5.1,3.5\n\"2\",4.9,3.0\n\"3\",4.7,3.2\n",
        expect![[r#"
        csv 0.87 delimiter "," header 3 rows sampled
          col0: bigint — 3 of 3 values parse as bigint
          length: double — 3 of 3 values parse as double
          width: double — 3 of 3 values parse as double
          because delimiter: 3 of the first 4 records have 3 fields when split at the comma
          because header: every name is text, and 2 of 2 columns below are not
    "#]],
    );
}

#[test]
fn ragged_rows() {
    check(
        "a.csv",
        "a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11,12\n1,2,3\n4,5,6\n7,8,9\n",
        expect![[r#"
        csv 0.87 delimiter "," header 7 rows sampled
          a: bigint — 7 of 7 values parse as bigint
          b: bigint — 7 of 7 values parse as bigint
          c: bigint? — 6 of 6 values parse as bigint; 1 more is null
          because delimiter: 6 of the first 8 records have 3 fields when split at the comma
          because header: every name is text, and 3 of 3 columns below are not
          because 2 of 7 rows do not have 3 fields (1 have fewer, 1 more); what is missing is null, what is too much is left out
    "#]],
    );
}

#[test]
fn one_column() {
    check(
        "ids.csv",
        "id\n17\n18\n19\n",
        expect![[r#"
        csv 0.6 delimiter "," header 3 rows sampled
          id: bigint — 3 of 3 values parse as bigint
          because every line is one value, and the name ends in .csv
          because header: every name is text, and 1 of 1 columns below are not
    "#]],
    );
    check(
        "ids.txt",
        "id\n17\n18\n19\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its lines into the same number of fields
    "#]],
    );
    check(
        "words.csv",
        "name\nAlice\nBob\nCarol\n",
        expect![[r#"
        csv 0.6 delimiter "," header 3 rows sampled
          name: string — 3 of 3 values are text
          because every line is one value, and the name ends in .csv
          because header: all columns are text, but the first row reads like names (1 of 1 are usual ones) and its cells do not come back below
    "#]],
    );
}

#[test]
fn digits_that_are_not_numbers() {
    check(
        "a.csv",
        "zip,phone,account,card,hash\n00501,+15551234,1,4111111111111111,18446744073709551615\n10001,+15559876,02,5500005555555559,7\n",
        expect![[r#"
            csv 1 delimiter "," header 2 rows sampled
              zip: string — 1 of 2 values parse as bigint, but "00501" (row 1) has a leading zero that a number would lose
              phone: string — "+15551234" (row 1) has a leading plus that a number would lose
              account: string — 1 of 2 values parse as bigint, but "02" (row 2) has a leading zero that a number would lose
              card: string — 2 of 2 values have the digits of payment cards, which are no numbers
              hash: string — 1 of 2 values parse as bigint, but "18446744073709551615" (row 1) has more digits than a number holds exactly
              because delimiter: 3 of the first 3 records have 5 fields when split at the comma
              because header: every name is text, and 5 of 5 columns below are not
        "#]],
    );
}

#[test]
fn nothings_among_numbers_and_words() {
    check(
        "a.csv",
        "n,d,w,b\n1,2020-01-01,NA,true\nN/A,NA,x,NA\nNaN,2020-02-01,y,FALSE\n,\\N,NULL,null\n",
        expect![[r#"
        csv 1 delimiter "," header 4 rows sampled
          n: bigint? — 1 of 1 values parse as bigint; 3 more are null (such as "N/A")
          d: date? — 2 of 2 values parse as date; 2 more are null (such as "NA")
          w: string? — 3 of 3 values are text; 1 more is null
          b: boolean? — 2 of 2 values parse as boolean; 2 more are null (such as "NA")
          because delimiter: 5 of the first 5 records have 4 fields when split at the comma
          because header: every name is text, and 3 of 4 columns below are not
    "#]],
    );
}

#[test]
fn one_word_among_numbers() {
    check(
        "a.csv",
        "n,t\n1,a\n2,b\nunknown,c\n",
        expect![[r#"
        csv 1 delimiter "," header 3 rows sampled
          n: string — 2 of 3 values parse as bigint, but "unknown" (row 3) is text
          t: string — 3 of 3 values are text
          because delimiter: 4 of the first 4 records have 2 fields when split at the comma
          because header: every name is text, and 1 of 2 columns below are not
    "#]],
    );
}

#[test]
fn dates_and_times() {
    check(
        "a.csv",
        "d,slash,mix,zoned,american,time\n2020-01-31,2020/01/31,2020-01-31,2020-01-31T10:00:00Z,01/31/2020,10:00\n\
         2020-02-29,2020/02/29,2020-02-29 10:00,2020-01-31 10:00:00.123+02:00,02/29/2020,11:30\n",
        expect![[r#"
            csv 1 delimiter "," header 2 rows sampled
              d: date — 2 of 2 values parse as date
              slash: date — 2 of 2 values parse as date
              mix: string — 1 of 2 values parse as date, but "2020-02-29 10:00" (row 2) is text; all that are text are timestamps without seconds
              zoned: timestamp — 2 of 2 values parse as timestamp
              american: string — 2 of 2 values are dates written MM/dd/yyyy, such as "01/31/2020" (row 1): only text holds them as written
              time: string — 2 of 2 values are times of day, such as "10:00" (row 1): only text holds them as written
              because delimiter: 3 of the first 3 records have 6 fields when split at the comma
              because header: every name is text, and 3 of 6 columns below are not
        "#]],
    );
}

#[test]
fn padded_values() {
    check(
        "a.csv",
        "id, name, n\n1, Ann, 5\n2, Bob, 6\n3, \"Cy, Jr\", 7\n",
        expect![[r#"
        csv 1 delimiter "," header 3 rows sampled
          id: bigint — 3 of 3 values parse as bigint
          name: string — 3 of 3 values are text
          n: bigint — 3 of 3 values parse as bigint
          because delimiter: 4 of the first 4 records have 3 fields when split at the comma
          because header: every name is text, and 2 of 3 columns below are not
          because 3 values have blanks around them; trim them when reading
    "#]],
    );
}

#[test]
fn latin1_and_windows_1252() {
    check_bytes(
        "a.csv",
        b"name,n\nJos\xe9,1\nZo\xeb,2\n",
        expect![[r#"
        csv 1 delimiter "," header iso-8859-1 2 rows sampled
          name: string — 2 of 2 values are text
          n: bigint — 2 of 2 values parse as bigint
          because byte 10 is not valid UTF-8, so the text is read as iso-8859-1
          because delimiter: 3 of the first 3 records have 2 fields when split at the comma
          because header: every name is text, and 1 of 2 columns below are not
    "#]],
    );
    check_bytes(
        "a.csv",
        b"name,n\n\x93Jos\xe9\x94,1\nZo\xeb,2\n",
        expect![[r#"
        csv 1 delimiter "," header windows-1252 2 rows sampled
          name: string — 2 of 2 values are text
          n: bigint — 2 of 2 values parse as bigint
          because byte 7 is not valid UTF-8, so the text is read as windows-1252
          because delimiter: 3 of the first 3 records have 2 fields when split at the comma
          because header: every name is text, and 1 of 2 columns below are not
    "#]],
    );
}

#[test]
fn byte_order_marks() {
    check(
        "a.csv",
        "\u{feff}id,n\n1,2\n",
        expect![[r#"
        csv 1 delimiter "," header 1 rows sampled
          id: bigint — 1 of 1 values parse as bigint
          n: bigint — 1 of 1 values parse as bigint
          because delimiter: 2 of the first 2 records have 2 fields when split at the comma
          because header: every name is text, and 2 of 2 columns below are not
    "#]],
    );
    let utf16: Vec<u8> = "\u{feff}id,n\n1,2\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    check_bytes(
        "a.csv",
        &utf16,
        expect![[r#"
        csv 1 delimiter "," header utf-16le 1 rows sampled
          id: bigint — 1 of 1 values parse as bigint
          n: bigint — 1 of 1 values parse as bigint
          because its byte order mark says utf-16le
          because delimiter: 2 of the first 2 records have 2 fields when split at the comma
          because header: every name is text, and 2 of 2 columns below are not
    "#]],
    );
}

#[test]
fn a_line_for_excel() {
    check(
        "a.csv",
        "sep=;\na;b;c\n1;2;3\n4;5;6\n",
        expect![[r#"
        csv 1 delimiter ";" skip 1 header 2 rows sampled
          a: bigint — 2 of 2 values parse as bigint
          b: bigint — 2 of 2 values parse as bigint
          c: bigint — 2 of 2 values parse as bigint
          because delimiter: 3 of the first 3 records have 3 fields when split at the semicolon
          because header: every name is text, and 3 of 3 columns below are not
          because the first 1 lines are not part of the table
    "#]],
    );
}

#[test]
fn numbers_and_dates_as_germans_write_them() {
    check(
        "a.csv",
        "Datum;Betrag;Text\n01.02.2020;1.234,56;Miete\n02.02.2020;-12,00;Strom, Gas\n",
        expect![[r#"
            csv 1 delimiter ";" header 2 rows sampled
              Datum: string — 2 of 2 values are dates written dd.MM.yyyy, such as "01.02.2020" (row 1): only text holds them as written
              Betrag: string — 2 of 2 values are numbers with decimal commas, such as "1.234,56" (row 1): only text holds them as written
              Text: string — 2 of 2 values are text
              because delimiter: 3 of the first 3 records have 3 fields when split at the semicolon
              because header: every name is text, and 2 of 3 columns below are not
        "#]],
    );
    check(
        "a.csv",
        "01.02.2020;1.234,56;Miete\n02.02.2020;-12,00;Strom, Gas\n",
        expect![[r#"
            csv 0.98 delimiter ";" no-header 2 rows sampled
              col0: string — 2 of 2 values are dates written dd.MM.yyyy, such as "01.02.2020" (row 1): only text holds them as written
              col1: string — 2 of 2 values are numbers with decimal commas, such as "1.234,56" (row 1): only text holds them as written
              col2: string — 2 of 2 values are text
              because delimiter: 2 of the first 2 records have 3 fields when split at the semicolon
              because header: none, because the first row holds "01.02.2020", which is a value
        "#]],
    );
}

#[test]
fn nothing_is_said_of_two_lines_with_commas() {
    check(
        "a.txt",
        "Dear Sir, I write to you.\nIt is late, and cold.\nYours, Bob\n",
        expect![[r#"
            UNKNOWN 0 0 rows sampled
              because its lines read like sentences with punctuation, not like rows
        "#]],
    );
}

#[test]
fn prose_is_not_a_table() {
    let text = "It was a bright cold day in April, and the clocks were striking thirteen.\nWinston Smith, his chin nuzzled \
                into his breast, slipped quickly through the glass doors.\nThough not quickly enough, to prevent a swirl \
                of gritty dust from entering along with him.\nThe hallway smelt of boiled cabbage, and old rag mats.\n";
    check(
        "novel.txt",
        text,
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because its lines read like sentences with punctuation, not like rows
    "#]],
    );
}

#[test]
fn logs_are_not_tables() {
    let python = "2020-01-01 00:00:00,123 INFO starting\n2020-01-01 00:00:01,456 WARNING slow, very slow\n";
    check(
        "app.log",
        python,
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because its lines read like a log (a time, a level or a request, then free text) of no known kind: a custom grok classifier can say what its parts are
    "#]],
    );
    let syslog =
        "Jan  1 00:00:00 host sshd[1]: session opened\nJan  1 00:00:01 host sshd[1]: session closed\n";
    check(
        "messages",
        syslog,
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because its lines read like a log (a time, a level or a request, then free text) of no known kind: a custom grok classifier can say what its parts are
    "#]],
    );
    let level = "[INFO] one, two\n[ERROR] three, four\n";
    check(
        "x.log",
        level,
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because its lines read like a log (a time, a level or a request, then free text) of no known kind: a custom grok classifier can say what its parts are
    "#]],
    );
}

#[test]
fn times_and_levels_in_columns_are_a_table() {
    let text = "time,level,message\n2020-01-01 00:00:00,INFO,starting\n2020-01-01 00:00:01,WARN,slow\n";
    check(
        "app.csv",
        text,
        expect![[r#"
        csv 1 delimiter "," header 2 rows sampled
          time: timestamp — 2 of 2 values parse as timestamp
          level: string — 2 of 2 values are text
          message: string — 2 of 2 values are text
          because delimiter: 3 of the first 3 records have 3 fields when split at the comma
          because header: every name is text, and 1 of 3 columns below are not
    "#]],
    );
}

#[test]
fn source_code_is_not_a_table() {
    check(
        "a.c",
        "int main(void) {\n  int a = f(1, 2);\n  g(a, b);\n  return 0;\n}\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its lines into the same number of fields
    "#]],
    );
    check(
        "a.sql",
        "select a, b from t;\nselect c, d from u;\ndrop table t;\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because its lines only end with a delimiter, which makes no second column
    "#]],
    );
    check(
        "a.md",
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because it holds a table drawn with bars and dashes, so it reads like Markdown or a report
    "#]],
    );
    check(
        "a.yaml",
        "a: 1\nb: 2\nc: 3\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its lines into the same number of fields
    "#]],
    );
    check(
        "a.ini",
        "[x]\na = 1\nb = 2\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its lines into the same number of fields
    "#]],
    );
}

#[test]
fn a_name_that_promises_something_else() {
    check(
        "a.parquet",
        "id,n\n1,2\n3,4\n",
        expect![[r#"
        csv 1 delimiter "," header 2 rows sampled
          id: bigint — 2 of 2 values parse as bigint
          n: bigint — 2 of 2 values parse as bigint
          because delimiter: 3 of the first 3 records have 2 fields when split at the comma
          because header: every name is text, and 2 of 2 columns below are not
          because the name says parquet, but its content is csv, and the content decides
    "#]],
    );
}

#[test]
fn an_empty_object() {
    check(
        "a.csv",
        "",
        expect![[r#"
        error empty: the object is empty (0 bytes), so it has no schema; upload it again, or exclude it
    "#]],
    );
    check(
        "a.csv",
        "\n \n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because it holds nothing but blanks
          because the name says csv, but its content is not
    "#]],
    );
}

#[test]
fn a_count_of_rows_below_a_long_table() {
    let rows: String = (0..20_000).map(|n| format!("{n},2024-01-31\n")).collect();
    let verdict =
        classify_bytes("a.csv", format!("id,day\n{rows}\n(20000 rows)\n").as_bytes()).expect("a verdict");
    let types: Vec<String> = verdict
        .columns
        .iter()
        .map(|column| column.data_type.to_string())
        .collect();
    assert_eq!(types, ["bigint", "date"]);
    assert_eq!(verdict.row_count, Some(20_000));
    assert_eq!(verdict.csv().expect("CSV").dialect.skip_footer, 1);
}

#[test]
fn a_first_record_that_other_files_can_confirm() {
    let verdict = classify_bytes("a.csv", b"maker,model\nSaab,900\nVolvo,240\n").expect("a verdict");
    assert_eq!(
        verdict.csv().expect("CSV").first_record,
        None,
        "the numbers say that the first record is a header"
    );
    let verdict = classify_bytes("a.csv", b"haus,boot\nkatze,hund\nbaum,stein\n").expect("a verdict");
    assert_eq!(
        verdict.csv().expect("CSV").first_record,
        Some(vec!["haus".to_owned(), "boot".to_owned()])
    );
}

#[test]
fn dates_that_only_people_read() {
    check(
        "a.csv",
        "id,us,eu,either,mixed\n1,1/31/2024,31/01/2024,01/02/2024,1/31/2024\n2,2/1/2024,01/02/2024,03/04/2024,soon\n",
        expect![[r#"
            csv 1 delimiter "," header 2 rows sampled
              id: bigint — 2 of 2 values parse as bigint
              us: string — 2 of 2 values are dates written MM/dd/yyyy, such as "1/31/2024" (row 1): only text holds them as written
              eu: string — 2 of 2 values are dates written dd/MM/yyyy, such as "31/01/2024" (row 1): only text holds them as written
              either: string — 2 of 2 values are dates written dd/MM/yyyy or MM/dd/yyyy (no number above 12 tells which), such as "01/02/2024" (row 1): only text holds them as written
              mixed: string — 2 of 2 values are text; they begin as dates written MM/dd/yyyy, but "soon" (row 2) is not one
              because delimiter: 3 of the first 3 records have 5 fields when split at the comma
              because header: every name is text, and 1 of 5 columns below are not
        "#]],
    );
}
