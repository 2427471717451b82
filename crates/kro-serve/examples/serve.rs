//! Serves an empty cluster on loopback and prints its kubeconfig: `serve [PORT] > kubeconfig`.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use kro_apiserver::{ApiServer, Authorization, Config, Profile};
use kro_serve::{Clock, Server};

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout)]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let clock = Clock::System;
    let config = Config { profile: Profile::Dev, authorization: Authorization::Rbac, ..Config::default() };
    let server = Server::new(ApiServer::new(config, clock.now()), clock);
    let listener = server.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    println!("{}", listener.kubeconfig());
    std::future::pending().await
}
