//! A client that costs as little as one can: it shares the cores with the server that it measures.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// One HTTP/1.1 connection that is kept alive. Answers are not parsed beyond where they end.
pub struct RawClient<S> {
    stream: S,
    received: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawClient<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, received: Vec::with_capacity(16 << 10) }
    }

    /// Sends a whole request and reads the whole answer. Its status, and its text for whoever has to explain it.
    pub async fn ask(&mut self, request: &[u8]) -> (u16, &[u8]) {
        self.stream.write_all(request).await.unwrap();
        self.stream.flush().await.unwrap();
        self.received.clear();
        while !is_whole(&self.received) {
            let length = self.stream.read_buf(&mut self.received).await.unwrap();
            assert!(length > 0, "the connection ended in the middle of an answer");
        }
        let status = self.received.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        (status.unwrap(), &self.received)
    }
}

/// Whether an answer has arrived: by its length, or by its last chunk.
fn is_whole(received: &[u8]) -> bool {
    let Some(head) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let body = received.len() - head - 4;
    let fields = std::str::from_utf8(&received[..head]).unwrap().split("\r\n").skip(1);
    let length =
        fields.filter_map(|field| field.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    match length {
        Some((_, length)) => body >= length.trim().parse().unwrap(),
        None => received.ends_with(b"0\r\n\r\n"),
    }
}
