//! WIRE: the AWS Glue API.
