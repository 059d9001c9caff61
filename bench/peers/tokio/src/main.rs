//! capitalize PORT: a task for each connection, all on one thread.

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const MOST_UNFINISHED: usize = 1 << 20;

/// How many bytes the whole lines are; a line ends at LF or NUL.
fn whole_lines(text: &[u8]) -> usize {
    text.iter().rposition(|&byte| byte == b'\n' || byte == 0).map_or(0, |last| last + 1)
}

async fn serve(mut connection: TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; 4096];
    let mut filled = 0;
    loop {
        let count = connection.read(&mut buffer[filled..]).await?;
        if count == 0 {
            buffer[..filled].make_ascii_uppercase();
            return connection.write_all(&buffer[..filled]).await;
        }
        // What came before holds no end of a line.
        let whole = match whole_lines(&buffer[filled..filled + count]) {
            0 => 0,
            lines => filled + lines,
        };
        filled += count;
        if whole > 0 {
            buffer[..whole].make_ascii_uppercase();
            connection.write_all(&buffer[..whole]).await?;
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
        }
        if filled == buffer.len() {
            if filled > MOST_UNFINISHED {
                return Ok(());
            }
            buffer.resize(2 * filled, 0);
        }
    }
}

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_default().parse().unwrap_or(0);
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        println!("listening {}", listener.local_addr()?.port());
        loop {
            let (connection, _) = listener.accept().await?;
            // A connection that breaks is its peer's business.
            tokio::spawn(async { drop(serve(connection).await) });
        }
    })
}
