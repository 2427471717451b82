//! Bodies of responses: complete ones and the stream of a watch.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use kro_apiserver::WatchId;

use crate::Server;
use crate::server::Place;

/// What is sent at once.
const FRAME: usize = 64 * 1024;

/// The body of a response. Dropping it closes the watch behind it.
pub struct ResponseBody {
    content: Content,
}

enum Content {
    Full(Option<Bytes>),
    /// Pieces that are put together frame by frame.
    Parts(VecDeque<Bytes>, u64),
    Watch(WatchStream),
}

impl ResponseBody {
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self { content: Content::Full(Some(bytes).filter(|bytes| !bytes.is_empty())) }
    }

    pub(crate) fn parts(parts: Vec<Bytes>) -> Self {
        let length = parts.iter().map(|part| part.len() as u64).sum();
        Self { content: Content::Parts(parts.into(), length) }
    }

    pub(crate) fn watch(server: Server, watch: WatchId, place: Place) -> Self {
        Self { content: Content::Watch(WatchStream { server, watch, place, chunks: VecDeque::new(), ended: false }) }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.content {
            Content::Full(bytes) => Poll::Ready(bytes.take()),
            Content::Parts(parts, length) => {
                let frame = joined(parts);
                *length -= frame.as_ref().map_or(0, |frame| frame.len() as u64);
                Poll::Ready(frame)
            }
            Content::Watch(stream) => stream.poll_chunk(context),
        };
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Full(bytes) => bytes.is_none(),
            Content::Parts(parts, _) => parts.is_empty(),
            Content::Watch(stream) => stream.ended && stream.chunks.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Parts(_, length) => SizeHint::with_exact(*length),
            Content::Watch(_) => SizeHint::default(),
        }
    }
}

/// The events of a watch, pulled: a client that does not read costs no memory, and falls out of the history window.
struct WatchStream {
    server: Server,
    watch: WatchId,
    place: Place,
    chunks: VecDeque<Bytes>,
    ended: bool,
}

impl WatchStream {
    fn poll_chunk(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        if self.chunks.is_empty() && !self.ended {
            let poll = self.server.poll_watch(self.watch, context.waker(), self.place);
            self.chunks.extend(poll.chunks);
            self.ended = poll.ended;
        }
        match joined(&mut self.chunks) {
            Some(chunk) => Poll::Ready(Some(chunk)),
            None if self.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

/// The next chunks as one frame, up to a size: each frame costs a client a read.
fn joined(chunks: &mut VecDeque<Bytes>) -> Option<Bytes> {
    let first = chunks.pop_front()?;
    if chunks.is_empty() || first.len() >= FRAME {
        return Some(first);
    }
    let mut frame = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum::<usize>().min(FRAME) + first.len());
    frame.extend_from_slice(&first);
    while let Some(next) = chunks.front().filter(|next| frame.len() + next.len() <= FRAME) {
        frame.extend_from_slice(next);
        chunks.pop_front();
    }
    Some(frame.freeze())
}

impl Drop for WatchStream {
    fn drop(&mut self) {
        self.server.close_watch(self.watch);
    }
}
