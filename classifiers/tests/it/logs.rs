//! Logs: lines that are known by their shape.

use expect_test::{Expect, expect};

use crate::support::{classify_bytes, show};

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&show(&classify_bytes("a.log", text.as_bytes())));
}

#[test]
fn apache_combined() {
    check(
        "127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /a.gif HTTP/1.0\" 200 2326 \"http://example.com/\" \"Mozilla/4.08 [en] (Win98)\"\n\
         ::1 - - [10/Oct/2000:13:55:37 -0700] \"-\" 408 - \"-\" \"say \\\"hi\\\"\"\n",
        expect![[r#"
            combined_apache 1 2 rows sampled
              clientip: string — the pattern names no type, so it is text
              ident: string — the pattern names no type, so it is text
              auth: string — the pattern names no type, so it is text
              timestamp: string — the pattern names no type, so it is text
              verb: string? — the pattern names no type, so it is text; 1 of 2 rows have none
              request: string? — the pattern names no type, so it is text; 1 of 2 rows have none
              httpversion: float? — the pattern says float; 1 of 2 rows have none
              rawrequest: string? — the pattern names no type, so it is text; 1 of 2 rows have none
              response: int — the pattern says int
              bytes: bigint? — the pattern says long; 1 of 2 rows have none
              referrer: string — the pattern names no type, so it is text
              agent: string — the pattern names no type, so it is text
              because 2 of 2 lines match the pattern
        "#]],
    );
}

#[test]
fn apache_common() {
    check(
        "example.org - - [10/Oct/2000:13:55:36 -0700] \"POST /b?c=d HTTP/1.1\" 304 -\n\
         10.0.0.7 - - [10/Oct/2000:13:55:38 -0700] \"GET / HTTP/1.1\" 200 5\n",
        expect![[r#"
            apache 1 2 rows sampled
              clientip: string — the pattern names no type, so it is text
              ident: string — the pattern names no type, so it is text
              auth: string — the pattern names no type, so it is text
              timestamp: string — the pattern names no type, so it is text
              verb: string — the pattern names no type, so it is text
              request: string — the pattern names no type, so it is text
              httpversion: float — the pattern says float
              rawrequest: string? — the pattern names no type, so it is text; 2 of 2 rows have none
              response: int — the pattern says int
              bytes: bigint? — the pattern says long; 1 of 2 rows have none
              because 2 of 2 lines match the pattern
        "#]],
    );
}

#[test]
fn linux_kernel() {
    check(
        "Mar  3 08:01:02 web1 kernel: [    0.000000] Linux version 6.1.0\n\
         Mar 13 08:01:03 web1 kernel: usb 1-1: new device\n",
        expect![[r#"
            linux_kernel 1 2 rows sampled
              timestamp: string — the pattern names no type, so it is text
              logsource: string — the pattern names no type, so it is text
              uptime: double? — the pattern says double; 1 of 2 rows have none
              message: string — the pattern names no type, so it is text
              because 2 of 2 lines match the pattern
        "#]],
    );
    check(
        "[    0.000000] Command line: quiet\n[   12.345678] eth0: link up\n",
        expect![[r#"
            linux_kernel 1 2 rows sampled
              uptime: double — the pattern says double
              message: string — the pattern names no type, so it is text
              because 2 of 2 lines match the pattern
        "#]],
    );
}

#[test]
fn microsoft() {
    check(
        "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n\
         #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs(User-Agent) sc-status time-taken\n\
         2024-05-01 00:00:01 10.0.0.4 GET /index.html - 443 Mozilla/5.0+(X11) 200 15\n\
         2024-05-01 00:00:02 10.0.0.4 POST /api q=1 443 - 500 1200\n",
        expect![[r#"
            microsoft_log 1 2 rows sampled
              date: string — the pattern names no type, so it is text
              time: string — the pattern names no type, so it is text
              s_ip: string — the pattern names no type, so it is text
              cs_method: string — the pattern names no type, so it is text
              cs_uri_stem: string — the pattern names no type, so it is text
              cs_uri_query: string? — the pattern names no type, so it is text; 1 of 2 rows have none
              s_port: int — the pattern says int
              cs_user_agent: string? — the pattern names no type, so it is text; 1 of 2 rows have none
              sc_status: int — the pattern says int
              time_taken: bigint — the pattern says long
              because 2 of 2 lines match the pattern
        "#]],
    );
    check(
        "192.168.114.201, -, 03/20/05, 7:55:20, W3SVC2, SALES1, 172.21.13.45, 4502, 163, 3223, 200, 0, GET, /DeptLogo.gif, -,\n\
         192.168.110.54, anonymous, 03/20/05, 23:58:11, MSFTPSVC, SALES1, 172.16.255.255, 60, 275, 0, 0, 0, PASS, /Intro.htm, -,\n",
        expect![[r#"
            microsoft_log 1 2 rows sampled
              clientip: string — the pattern names no type, so it is text
              username: string — the pattern names no type, so it is text
              date: string — the pattern names no type, so it is text
              time: string — the pattern names no type, so it is text
              service: string — the pattern names no type, so it is text
              servername: string — the pattern names no type, so it is text
              serverip: string — the pattern names no type, so it is text
              timetaken: bigint — the pattern says long
              bytesreceived: bigint — the pattern says long
              bytessent: bigint — the pattern says long
              status: int — the pattern says int
              windowsstatus: bigint — the pattern says long
              verb: string — the pattern names no type, so it is text
              target: string — the pattern names no type, so it is text
              parameters: string — the pattern names no type, so it is text
              because 2 of 2 lines match the pattern
        "#]],
    );
}

#[test]
fn ruby_logger() {
    check(
        "I, [2024-01-05T10:11:12.123456 #4711]  INFO -- : Started\n\
         W, [2024-01-05T10:11:13.123456 #4711]  WARN -- web: Slow, 2 s\n",
        expect![[r#"
            ruby_logger 1 2 rows sampled
              severity_id: string — the pattern names no type, so it is text
              timestamp: string — the pattern names no type, so it is text
              pid: int — the pattern says int
              loglevel: string — the pattern names no type, so it is text
              progname: string? — the pattern names no type, so it is text; 1 of 2 rows have none
              message: string — the pattern names no type, so it is text
              because 2 of 2 lines match the pattern
        "#]],
    );
}

#[test]
fn squid() {
    check(
        "1066036250.603    310 192.168.0.2 TCP_MISS/200 1120 GET http://www.squid-cache.org/ - DIRECT/206.168.0.9 text/html\n\
         1066036251.604      2 192.168.0.2 TCP_HIT/304 220 GET http://www.squid-cache.org/a - NONE/- -\n",
        expect![[r#"
            squid 1 2 rows sampled
              timestamp: double — the pattern says double
              elapsed: bigint — the pattern says long
              clientip: string — the pattern names no type, so it is text
              result_code: string — the pattern names no type, so it is text
              status: int — the pattern says int
              bytes: bigint — the pattern says long
              verb: string — the pattern names no type, so it is text
              url: string — the pattern names no type, so it is text
              user: string — the pattern names no type, so it is text
              hierarchy_code: string — the pattern names no type, so it is text
              server: string — the pattern names no type, so it is text
              content_type: string — the pattern names no type, so it is text
              because 2 of 2 lines match the pattern
        "#]],
    );
}

#[test]
fn redis() {
    check(
        "1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\n1339518087.877697 [0 lua] \"dbsize\"\n",
        expect![[r#"
            redismonlog 1 2 rows sampled
              timestamp: double — the pattern says double
              database: int — the pattern says int
              client: string — the pattern names no type, so it is text
              port: int? — the pattern says int; 1 of 2 rows have none
              command: string — the pattern names no type, so it is text
              parameters: string? — the pattern names no type, so it is text; 1 of 2 rows have none
              because 2 of 2 lines match the pattern
        "#]],
    );
    check(
        "7:M 02 Jan 2024 10:00:00.123 * Ready to accept connections\n7:M 02 Jan 2024 10:00:01.000 # Warning\n",
        expect![[r#"
            redislog 1 2 rows sampled
              pid: int — the pattern says int
              role: string — the pattern names no type, so it is text
              timestamp: string — the pattern names no type, so it is text
              level: string — the pattern names no type, so it is text
              message: string — the pattern names no type, so it is text
              because 2 of 2 lines match the pattern
        "#]],
    );
    check(
        "[4018] 14 Nov 07:01:22.119 * Background saving terminated\n",
        expect![[r#"
            redislog 1 1 rows sampled
              pid: int — the pattern says int
              timestamp: string — the pattern names no type, so it is text
              level: string — the pattern names no type, so it is text
              message: string — the pattern names no type, so it is text
              because 1 of 1 lines match the pattern
        "#]],
    );
}

#[test]
fn a_few_odd_lines_are_forgiven() {
    let line = "10.0.0.7 - - [10/Oct/2000:13:55:38 -0700] \"GET / HTTP/1.1\" 200 5\n";
    let verdict = |odd: usize| {
        let text = line.repeat(100 - odd) + &"Restarting httpd\n".repeat(odd);
        classify_bytes("a.log", text.as_bytes()).expect("a verdict")
    };
    assert_eq!(
        (verdict(10).classification.as_str(), verdict(10).certainty),
        ("apache", 0.9)
    );
    expect![[r#"90 of 100 lines match the pattern; the first that does not: "Restarting httpd""#]]
        .assert_eq(&verdict(10).reasons.join("\n"));
    assert_ne!(verdict(11).classification, "apache");
}
