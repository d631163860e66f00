//! One table of everything that other people wrote: what each file is, how it is packed and laid out, and its columns.
//! The expectations are those of the files' own documentation, of the rows that lie beside them, and of their own
//! libraries (pyarrow, fastavro, spark-xml).

use std::fs;
use std::path::{Path, PathBuf};

use classifiers::{Column, Layout, Verdict};
use expect_test::expect;

use crate::support::{classify_bytes, shared_data};

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder)
        .expect("test data")
        .map(|entry| entry.expect("test data").path());
    for path in entries {
        if path.is_dir() {
            files.extend(all_files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// How a file is laid out, in a few words.
fn layout(verdict: &Verdict) -> String {
    let mut words = vec![verdict.compression.to_string()];
    words.extend(verdict.encoding.clone());
    match &verdict.layout {
        Some(Layout::Csv(csv)) => {
            words.push(format!("{:?}", csv.dialect.delimiter));
            words.push(if csv.dialect.header { "header" } else { "no header" }.to_owned());
        }
        Some(Layout::Json(json)) => words.push(format!("{:?}", json.documents)),
        Some(Layout::Avro(avro)) => words.push(format!("codec {}", avro.codec)),
        Some(Layout::Xml(xml)) => words.push(format!("row {}", xml.row_tag)),
        _ => {}
    }
    let rows = verdict
        .row_count
        .map_or_else(|| format!("{}+", verdict.rows_sampled), |rows| rows.to_string());
    words.push(format!("{rows} rows"));
    words.join(", ")
}

fn shown(column: &Column) -> String {
    let mark = if column.nullable { "?" } else { "" };
    format!("{}: {:#}{mark}", column.name, column.data_type)
}

fn table(data: &Path, folder: &str) -> String {
    let mut table = String::new();
    for path in all_files(&data.join("formats").join(folder)) {
        let bytes = fs::read(&path).expect("test data");
        let name = path
            .strip_prefix(data.join("formats"))
            .expect("inside")
            .display()
            .to_string();
        table.push_str(&name);
        match classify_bytes(&name, &bytes) {
            Ok(verdict) => {
                table.push_str(&format!(" → {} ({})\n", verdict.classification, layout(&verdict)));
                let all = verdict.columns.len();
                for columns in verdict.columns.chunks(6).take(3) {
                    let columns: Vec<String> = columns.iter().map(shown).collect();
                    table.push_str(&format!("    {}\n", columns.join(", ")));
                }
                if all > 18 {
                    table.push_str(&format!("    … {all} columns\n"));
                }
            }
            Err(error) => table.push_str(&format!(" → error, {}: {}\n", error.kind, error.message)),
        }
    }
    println!("{table}");
    table
}

#[test]
fn avro_files() {
    let Some(data) = shared_data() else { return };
    expect![[r#"
        avro/weather-deflate.avro → avro (none, codec deflate, 5 rows)
            station: string, time: bigint, temp: int
        avro/weather-snappy.avro → avro (none, codec snappy, 5 rows)
            station: string, time: bigint, temp: int
        avro/weather-sorted.avro → avro (none, codec deflate, 5 rows)
            station: string, time: bigint, temp: int
        avro/weather-zstd.avro → avro (none, codec zstandard, 5 rows)
            station: string, time: bigint, temp: int
        avro/weather.avro → avro (none, codec null, 5 rows)
            station: string, time: bigint, temp: int
        avro/weather.json → json (none, utf-8, Lines, 5 rows)
            station: string, time: bigint, temp: int
    "#]]
    .assert_eq(&table(&data, "avro"));
}

#[test]
fn orc_files() {
    let Some(data) = shared_data() else { return };
    expect![[r#"
        orc/TestOrcFile.emptyFile.orc → orc (none, 0 rows)
            boolean1: boolean?, byte1: tinyint?, short1: smallint?, int1: int?, long1: bigint?, float1: float?
            double1: double?, bytes1: binary?, string1: string?, middle: struct<list:array<struct<int1:int,string1:string>>>?, list: array<struct<int1:int,string1:string>>?, map: map<string,struct<int1:int,string1:string>>?
        orc/TestOrcFile.test1.jsn.gz → json (gzip, utf-8, Lines, 2 rows)
            boolean1: boolean, byte1: int, short1: int, int1: int, long1: bigint, float1: int
            double1: int, bytes1: array<int>, string1: string, middle: struct<list:array<struct<int1:int,string1:string>>>, list: array<struct<int1:int,string1:string>>, map: array<struct<key:string,value:struct<int1:int,string1:string>>>
        orc/TestOrcFile.test1.orc → orc (none, 2 rows)
            boolean1: boolean?, byte1: tinyint?, short1: smallint?, int1: int?, long1: bigint?, float1: float?
            double1: double?, bytes1: binary?, string1: string?, middle: struct<list:array<struct<int1:int,string1:string>>>?, list: array<struct<int1:int,string1:string>>?, map: map<string,struct<int1:int,string1:string>>?
        orc/TestOrcFile.testSnappy.orc → orc (none, 10000 rows)
            int1: int?, string1: string?
        orc/TestOrcFile.testTimestamp.jsn.gz → UNKNOWN (gzip, utf-8, 0+ rows)
        orc/TestOrcFile.testTimestamp.orc → orc (none, 12 rows)
            value: timestamp?
        orc/complextypes_iceberg.orc → orc (none, 1 rows)
            id: bigint?, int_array: array<int>?, int_array_array: array<array<int>>?, int_map: map<string,int>?, int_map_array: array<map<string,int>>?, nested_struct: struct<a:int,b:array<int>,c:struct<d:array<array<struct<e:int,f:string>>>>,g:map<string,struct<h:struct<i:array<double>>>>>?
        orc/decimal.jsn.gz → json (gzip, utf-8, Lines, 6000 rows)
            _col0: double?
        orc/decimal.orc → orc (none, 6000 rows)
            _col0: decimal(10,5)?
        orc/demo-12-zlib.orc → orc (none, 1920800 rows)
            _col0: int?, _col1: string?, _col2: string?, _col3: string?, _col4: int?, _col5: string?
            _col6: int?, _col7: int?, _col8: int?
        orc/over1k_bloom.orc → orc (none, 2098 rows)
            _col0: tinyint?, _col1: smallint?, _col2: int?, _col3: bigint?, _col4: float?, _col5: double?
            _col6: boolean?, _col7: string?, _col8: timestamp?, _col9: decimal(4,2)?, _col10: binary?
        orc/zero.orc → error, empty: the object is empty (0 bytes), so it has no schema; upload it again, or exclude it
    "#]].assert_eq(&table(&data, "orc"));
}

#[test]
fn xml_files() {
    let Some(data) = shared_data() else { return };
    expect![[r#"
        xml/ages-mixed-types.xml → xml (none, utf-8, row person, 3 rows)
            age: struct<_born:date,_VALUE:bigint>, name: struct<firstName:string,lastName:string,_VALUE:string>
        xml/ages.xml → xml (none, utf-8, row person, 3 rows)
            age: struct<_born:date,_VALUE:bigint>, name: string
        xml/basket.xml → xml (none, utf-8, row entry, 2 rows)
            key: bigint, value: string
        xml/books-attributes-in-no-child.xml → xml (none, utf-8, row book, 12 rows)
            _id: string, author: string, title: string, price: struct<_unit:string,_VALUE:string>, publish_date: date
        xml/books-complicated.xml → xml (none, utf-8, row book, 3 rows)
            _id: string, author: string, title: string, genre: struct<genreid:bigint,name:string>, price: double?, publish_dates: struct<publish_date:array<struct<year:bigint,month:bigint,day:string,_tag:string>>>
        xml/books-namespaces.xml → xml (none, utf-8, row book, 3 rows)
            _id: string, author: string
        xml/books-nested-array.xml → xml (none, utf-8, row book, 12 rows)
            _id: string, author: string, title: string, genre: string, price: double, publish_date: array<date>
            description: string
        xml/books.xml → xml (none, utf-8, row book, 12 rows)
            _id: string, author: string, title: string, genre: string, price: double, publish_date: date
            description: string
        xml/cars-iso-8859-1.xml → xml (none, utf-8, row ROW, 3 rows)
            year: bigint, make: string, model: string, comment: string
        xml/cars-malformed.xml → error, malformed: the XML is malformed at line 8, column 5: `</ROW>` stands where `</model>` is due
        xml/cars.xml → xml (none, utf-8, row ROW, 3 rows)
            year: bigint, make: string, model: string, comment: string
        xml/cars.xml.bz2 → xml (bzip2, utf-8, row ROW, 3 rows)
            year: bigint, make: string, model: string, comment: string
        xml/cars.xml.gz → xml (gzip, utf-8, row ROW, 3 rows)
            year: bigint, make: string, model: string, comment: string
        xml/empty.xml → error, empty: the object is empty (0 bytes), so it has no schema; upload it again, or exclude it
        xml/feed-with-spaces.xml → xml (none, utf-8, row entry, 4 rows)
            id: string
    "#]].assert_eq(&table(&data, "xml"));
}

#[test]
fn log_files() {
    let Some(data) = shared_data() else { return };
    expect![[r#"
        logs/apache_combined.log → combined_apache (none, utf-8, 1000+ rows)
            clientip: string, ident: string, auth: string, timestamp: string, verb: string, request: string
            httpversion: float, rawrequest: string?, response: int, bytes: bigint?, referrer: string, agent: string
    "#]]
    .assert_eq(&table(&data, "logs"));
}

#[test]
fn parquet_files() {
    let Some(data) = shared_data() else { return };
    expect![[r#"
        parquet/LICENSE.txt → UNKNOWN (none, utf-8, 0+ rows)
        parquet/alltypes_plain.parquet → parquet (none, 8 rows)
            id: int?, bool_col: boolean?, tinyint_col: int?, smallint_col: int?, int_col: int?, bigint_col: bigint?
            float_col: float?, double_col: double?, date_string_col: binary?, string_col: binary?, timestamp_col: timestamp?
        parquet/alltypes_plain.snappy.parquet → parquet (none, 2 rows)
            id: int?, bool_col: boolean?, tinyint_col: int?, smallint_col: int?, int_col: int?, bigint_col: bigint?
            float_col: float?, double_col: double?, date_string_col: binary?, string_col: binary?, timestamp_col: timestamp?
        parquet/bad/ARROW-GH-41317.parquet → parquet (none, 5 rows)
            boolean: boolean?, null: void?, uint8: smallint?, int8: tinyint?, uint16: int?, int16: smallint?
            uint32: bigint?, int32: int?, uint64: decimal(20,0)?, int64: bigint?, float32: float?, float64: double?
            string: string?, large_string: string?, timestamp_ms_gmt: timestamp?, timestamp_ms_gmt_plus_2: timestamp?, timestamp_ms_gmt_minus_0215: timestamp?, timestamp_s_no_tz: timestamp?
            … 80 columns
        parquet/bad/ARROW-GH-41321.parquet → parquet (none, 5 rows)
            boolean: boolean?, null: void?, uint8: smallint?, int8: tinyint?, uint16: int?, int16: smallint?
            uint32: bigint?, int32: int?, uint64: decimal(20,0)?, int64: bigint?, float32: float?, float64: double?
            string: string?, large_string: string?, timestamp_ms_gmt: timestamp?, timestamp_ms_gmt_plus_2: timestamp?, timestamp_ms_gmt_minus_0215: timestamp?, timestamp_s_no_tz: timestamp?
            … 80 columns
        parquet/bad/ARROW-GH-43605.parquet → parquet (none, 21186 rows)
            min_fl: int?
        parquet/bad/ARROW-GH-45185.parquet → parquet (none, 5 rows)
            x: array<int>
        parquet/bad/ARROW-GH-47662.parquet → parquet (none, 1000 rows)
            flba_field: binary
        parquet/bad/ARROW-RS-GH-6229-DICTHEADER.parquet → parquet (none, 25 rows)
            nation_key: int?, name: binary?, region_key: int?, comment_col: binary?
        parquet/bad/ARROW-RS-GH-6229-LEVELS.parquet → parquet (none, 1 rows)
            outer: array<struct<c:void>>?
        parquet/bad/PARQUET-1481.parquet → error, malformed: the Parquet footer is corrupt: physical type -7 does not exist; write the file again
        parquet/binary.parquet → parquet (none, 12 rows)
            foo: binary?
        parquet/byte_array_decimal.parquet → parquet (none, 24 rows)
            value: decimal(4,2)?
        parquet/datapage_v2.snappy.parquet → parquet (none, 5 rows)
            a: string?, b: int, c: double, d: boolean, e: array<int>?
        parquet/delta_binary_packed.parquet → parquet (none, 200 rows)
            bitwidth0: bigint?, bitwidth1: bigint?, bitwidth2: bigint?, bitwidth3: bigint?, bitwidth4: bigint?, bitwidth5: bigint?
            bitwidth6: bigint?, bitwidth7: bigint?, bitwidth8: bigint?, bitwidth9: bigint?, bitwidth10: bigint?, bitwidth11: bigint?
            bitwidth12: bigint?, bitwidth13: bigint?, bitwidth14: bigint?, bitwidth15: bigint?, bitwidth16: bigint?, bitwidth17: bigint?
            … 66 columns
        parquet/delta_byte_array.parquet → parquet (none, 1000 rows)
            c_customer_id: string?, c_salutation: string?, c_first_name: string?, c_last_name: string?, c_preferred_cust_flag: string?, c_birth_country: string?
            c_login: string?, c_email_address: string?, c_last_review_date: string?
        parquet/fixed_length_decimal.parquet → parquet (none, 24 rows)
            value: decimal(25,2)?
        parquet/int32_decimal.parquet → parquet (none, 24 rows)
            value: decimal(4,2)?
        parquet/int64_decimal.parquet → parquet (none, 24 rows)
            value: decimal(10,2)?
        parquet/int96_from_spark.parquet → parquet (none, 6 rows)
            a: timestamp?
        parquet/large_string_map.brotli.parquet → parquet (none, 2 rows)
            arr: map<string,int>?
        parquet/list_columns.parquet → parquet (none, 3 rows)
            int64_list: array<bigint>?, utf8_list: array<string>?
        parquet/lz4_raw_compressed.parquet → parquet (none, 4 rows)
            c0: bigint, c1: binary, v11: double?
        parquet/map_no_value.parquet → parquet (none, 3 rows)
            my_map: map<int,int>, my_map_no_v: array<int>, my_list: array<int>
        parquet/nested_lists.snappy.parquet → parquet (none, 3 rows)
            a: array<array<array<string>>>?, b: int
        parquet/nested_maps.snappy.parquet → parquet (none, 6 rows)
            a: map<string,map<int,boolean>>?, b: int, c: double
        parquet/nested_structs.rust.parquet → parquet (none, 1 rows)
            roll_num: struct<min:bigint,max:bigint,mean:bigint,count:decimal(20,0),sum:bigint,variance:bigint>, PC_CUR: struct<min:bigint,max:bigint,mean:bigint,count:decimal(20,0),sum:bigint,variance:bigint>, CVA_2012: struct<min:bigint,max:bigint,mean:bigint,count:decimal(20,0),sum:bigint,variance:bigint>, CVA_2016: struct<min:bigint,max:bigint,mean:bigint,count:decimal(20,0),sum:bigint,variance:bigint>, BIA_3: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, BIA_4: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>
            ACTUAL_FRONTAGE: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, ACTUAL_DEPTH: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, ACTUAL_LOT_SIZE: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, GLA: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, SOURCE_GLA: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, IPS_GLA: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>
            GLA_ALL: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, bia: struct<min:bigint,max:bigint,mean:bigint,count:decimal(20,0),sum:bigint,variance:bigint>, EFFECTIVE_LOT_SIZE: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, effective_lot_area: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, EFFECTIVE_FRONTAGE: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>, EFFECTIVE_DEPTH: struct<min:double,max:double,mean:double,count:decimal(20,0),sum:double,variance:double>
            … 36 columns
        parquet/nullable.impala.parquet → parquet (none, 7 rows)
            id: bigint?, int_array: array<int>?, int_array_Array: array<array<int>>?, int_map: map<string,int>?, int_Map_Array: array<map<string,int>>?, nested_struct: struct<A:int,b:array<int>,C:struct<d:array<array<struct<E:int,F:string>>>>,g:map<string,struct<H:struct<i:array<double>>>>>?
        parquet/nulls.snappy.parquet → parquet (none, 8 rows)
            b_struct: struct<b_c_int:int>?
        parquet/old_list_structure.parquet → parquet (none, 1 rows)
            a: array<array<int>>
        parquet/rle_boolean_encoding.parquet → parquet (none, 68 rows)
            datatype_boolean: boolean?
    "#]].assert_eq(&table(&data, "parquet"));
}
