//! Who am I? Many clients ask the Security Token Service before anything else, in AWS's older query protocol: a form in, XML
//! out.

use crate::app::App;
use crate::stack;

use super::body::Body;
use super::error::{Answer, Exception, Failure};

/// Whether a request is one in the query protocol.
pub(super) fn is_asked(body: &[u8]) -> bool {
    action(body).is_some()
}

fn action(body: &[u8]) -> Option<&str> {
    let body = std::str::from_utf8(body).ok()?;
    body.split('&').find_map(|pair| pair.strip_prefix("Action="))
}

/// Answers `GetCallerIdentity`: whoever asks is the account's root.
pub(super) fn answer(app: &App, body: &[u8]) -> Answer<Body> {
    if action(body) != Some("GetCallerIdentity") {
        return Err(Failure::new(
            Exception::UNKNOWN_OPERATION,
            "Of the services that are asked in this way, such as STS and IAM, GetCallerIdentity alone is answered here.",
        ));
    }
    let request_id = stack::request_id();
    let account = &app.config.catalog.account_id;
    Ok(Body {
        content: "text/xml",
        text: format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId><Account>{account}</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        ),
    })
}

/// A refusal, as clients of this protocol read it. They ask other services in it, too.
pub(super) fn refused(exception: Exception, message: &str) -> Body {
    let request_id = stack::request_id();
    let message = message
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    Body {
        content: "text/xml",
        text: format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{message}</Message></Error>\
             <RequestId>{request_id}</RequestId></ErrorResponse>",
            exception.name()
        ),
    }
}
