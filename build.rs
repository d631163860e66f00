//! What is compiled into the program besides its code is watched: the built frontend and the jobs that we ship.

fn main() {
    println!("cargo:rerun-if-changed=frontend/dist");
    println!("cargo:rerun-if-changed=jobs");
    println!("cargo:rerun-if-changed=migrations");
}
