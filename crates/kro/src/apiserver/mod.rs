//! `kro apiserver`: the embedded Kubernetes API alone, and the programs that it stands in for.

mod arguments;
mod setup;
mod stand_in;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use crate::error::CliError;
use crate::signal;

pub use self::arguments::ApiserverArguments;
pub use self::setup::Setup;
pub use self::stand_in::stand_in;

/// Serves until it is told to end.
pub async fn run(arguments: ApiserverArguments) -> Result<ExitCode, CliError> {
    let setup =
        Setup { profile: arguments.profile.into(), data: arguments.data.as_deref(), simulate: &arguments.simulate };
    let (server, identity) = setup.server()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let listener = server.listen_by(address, kro_serve::Tokens::new(), identity).await?;
    let text = listener.kubeconfig();
    match &arguments.write_kubeconfig {
        Some(path) => {
            let written = crate::replace::write_private(path, &text);
            written.map_err(|cause| CliError::Write { path: path.clone(), cause })?;
            anstream::eprintln!("serving at https://{}, kubeconfig in {}", listener.address(), path.display());
        }
        None => anstream::print!("{text}"),
    }
    signal::wait().await;
    listener.shutdown().await;
    server.settled().await.map_err(CliError::NotKept)?;
    Ok(ExitCode::SUCCESS)
}
