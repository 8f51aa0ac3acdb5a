//! Carries one command: stdin up, stdout and stderr down, until its exit status.
//!
//! One loop and no thread. One connection for stdin and one for output, where the host sees two:
//! the host holds the answer back on the second until there is output. While output flows, a third
//! asks for the next piece before this one has come, and a piece is on its way to us while another
//! is being written out.

use crate::line::{Key, Line, ROOM};
use crate::start::{self, POLLIN, POLLOUT, Poll};
use crate::tunnel::{Chunks, Exec, Kind, MAX_HOLD, MAX_READ, MAX_WRITE, Request, Response, Token};

/// Bytes that a pipe takes without blocking once poll(2) says that it has room (PIPE_BUF).
const PIPE_BUF: usize = 4096;
/// How long an answer may take where the host holds none back, in milliseconds.
const ANSWER_TIME: u64 = 20_000;
/// The first and the longest pause between two questions where the host cannot hold one.
const FIRST_PAUSE: u64 = 1;
const LONGEST_PAUSE: u64 = 32;
/// A sign of life for a command whose output nobody takes, in milliseconds.
const SIGN_OF_LIFE: u64 = 5_000;
/// A piece of this size or more says that output flows, and that the next will be there soon.
const FLOWING: usize = MAX_READ / 4;

/// Why a command was not carried to its end.
pub(crate) enum Failed<'a> {
    /// The gateway says why.
    Refused(&'a [u8]),
    /// Nobody answers any more.
    Lost,
    /// No random bytes, no way to read or write.
    System,
}

/// What is being written out of a piece that has arrived.
struct Out<'b> {
    buffer: &'b mut [u8],
    /// Where the next chunk begins, and where the last one ends.
    at: usize,
    end: usize,
    /// Descriptor and place of the chunk that is being written.
    chunk: Option<(i32, usize, usize)>,
    exit: Option<u32>,
    /// Stdout and stderr, opened once more where they are pipes: a write to those never waits.
    own: [Option<i32>; 2],
}

impl Out<'_> {
    /// Goes to the next chunk where the present one is written. False where nothing is left.
    fn advance(&mut self) -> Result<bool, ()> {
        while self.chunk.is_none_or(|(_, at, end)| at == end) {
            self.chunk = None;
            let Some(next) = Chunks::new(&self.buffer[self.at..self.end]).next() else { return Ok(false) };
            let (kind, bytes) = next.map_err(|_| ())?;
            let begin = self.at + crate::tunnel::CHUNK_HEAD;
            let end = begin + bytes.len();
            self.at = end;
            match kind {
                Kind::Stdout => self.chunk = Some((self.own[0].unwrap_or(1), begin, end)),
                Kind::Stderr => self.chunk = Some((self.own[1].unwrap_or(2), begin, end)),
                Kind::Exit => {
                    let status = bytes.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes));
                    self.exit = status;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Writes what the descriptor takes now.
    fn write(&mut self) {
        let Some((fd, at, end)) = &mut self.chunk else { return };
        let most = if self.own.contains(&Some(*fd)) { *end - *at } else { PIPE_BUF };
        match start::write(*fd, &self.buffer[*at..(*at + most).min(*end)]) {
            Ok(count) => *at += count,
            Err(start::EAGAIN | start::EINTR) => {}
            // Nobody reads it any more.
            Err(_) => *at = *end,
        }
    }
}

/// A connection for output, and which piece it was last asked for.
struct Reader<'b> {
    line: Line<'b>,
    piece: u64,
    /// It has arrived, and waits for those before it to be written out.
    arrived: bool,
}

/// The connections for output.
struct Readers<'b> {
    /// The second is used while output flows, and not at all in a short command.
    each: [Reader<'b>; 2],
    /// The piece that is written out next.
    due: u64,
    flowing: bool,
    hold: u32,
}

impl<'b> Readers<'b> {
    /// The first piece that has not arrived.
    fn ack(&self) -> u64 {
        let arrived = |piece| self.each.iter().any(|reader| reader.arrived && reader.piece == piece);
        self.due + u64::from(arrived(self.due)) + u64::from(arrived(self.due) && arrived(self.due + 1))
    }

    /// Which piece the reader of this number is to ask for now.
    fn wanted(&self, n: usize) -> Option<u64> {
        let (own, other) = (&self.each[n], &self.each[1 - n]);
        if own.line.waiting || own.arrived {
            return None;
        }
        let ack = self.ack();
        let ahead = self.flowing && self.hold > 0 && !self.each[1].line.is_hopeless();
        match other.line.waiting {
            true if other.piece == ack => ahead.then_some(ack + 1),
            true => Some(ack),
            false => (n == 0 || ahead).then_some(ack),
        }
    }

    /// Takes an answer in, to what was asked of the reader of this number.
    fn arrive(&mut self, n: usize, length: usize) {
        self.each[n].arrived = length > 0;
        if length >= FLOWING {
            self.flowing = true;
        } else if length == 0 && self.each[n].piece > self.ack() {
            self.flowing = false;
        }
    }

    /// Gives the piece that is due to `out`, if it has arrived.
    fn hand_to(&mut self, out: &mut Out<'b>) -> bool {
        let due = self.due;
        let Some(reader) = self.each.iter_mut().find(|reader| reader.arrived && reader.piece == due) else {
            return false;
        };
        (out.at, out.end) = reader.line.exchange(&mut out.buffer);
        reader.arrived = false;
        self.due += 1;
        true
    }
}

/// Stdin that has been read and not yet been taken.
struct In {
    bytes: [u8; MAX_WRITE],
    from: usize,
    to: usize,
    offset: u64,
    /// The end was read.
    ended: bool,
    /// The end was taken.
    done: bool,
}

/// Runs `exec` through the gateway and returns its exit status. `reader` is the connection on
/// which the identities were listed, so that the host sees what that was for; `ahead` is used
/// where there is much output. With `no_stdin`
/// not a byte of stdin is read: it is there for whoever comes next.
pub(crate) fn carry<'a, 'b>(
    [mut reader, ahead]: [Line<'b>; 2],
    mut writer: Line<'_>,
    spare: &'b mut [u8; ROOM],
    key: &Key,
    exec: Exec<'_>,
    no_stdin: bool,
    reason: &'a mut [u8],
) -> Result<u8, Failed<'a>> {
    let mut token: Token = [0; 16];
    start::random(&mut token).map_err(|_| Failed::System)?;

    match answered(&mut reader, key, &Request::Open { token, exec }, reason) {
        Answered::Ok(_) => {}
        Answered::Refused(length) => return Err(Failed::Refused(&reason[..length])),
        Answered::Lost => return Err(Failed::Lost),
    }
    // Whether the host can hold an answer on one connection without holding up the other.
    let here = answered(&mut reader, key, &Request::Ping, reason);
    let there = answered(&mut writer, key, &Request::Ping, reason);
    let (Answered::Ok(here), Answered::Ok(there)) = (here, there) else { return Err(Failed::Lost) };
    let hold = if here == there { 0 } else { MAX_HOLD };

    let own = [start::own_pipe(1), start::own_pipe(2)];
    let mut out = Out { buffer: spare, at: 0, end: 0, chunk: None, exit: None, own };
    let mut input = In { bytes: [0; MAX_WRITE], from: 0, to: 0, offset: 0, ended: no_stdin, done: false };
    let each = [reader, ahead].map(|line| Reader { line, piece: 0, arrived: false });
    let mut readers = Readers { each, due: 0, flowing: false, hold };
    let mut pause = FIRST_PAUSE;
    let mut paused = false;
    loop {
        let mut writing = out.advance().map_err(|()| Failed::Lost)?;
        if !writing && out.exit.is_none() && readers.hand_to(&mut out) {
            writing = out.advance().map_err(|()| Failed::Lost)?;
        }
        if let Some(status) = out.exit {
            let idle = readers.each.iter_mut().map(|reader| &mut reader.line).find(|line| !line.waiting);
            if let Some(line) = idle {
                let _ = line.ask(key, &Request::Close { token }).map(|()| line.wait(500));
            }
            return Ok(if status > 255 { 255 } else { status as u8 });
        }
        let mut lost = false;
        for n in 0..2 {
            if !paused && let Some(piece) = readers.wanted(n) {
                let request = Request::Read { token, ack: readers.ack(), piece, hold };
                readers.each[n].piece = piece;
                lost |= readers.each[n].line.ask(key, &request).is_err();
            }
        }
        if lost {
            hopeless(&readers.each[0].line)?;
            continue;
        }
        let something = input.from < input.to || input.ended && !input.done;
        if !writer.waiting && something {
            let request = Request::Write {
                token,
                offset: input.offset,
                eof: input.ended,
                bytes: &input.bytes[input.from..input.to],
            };
            if writer.ask(key, &request).is_err() {
                hopeless(&writer)?;
                continue;
            }
        }

        let none = |wanted: bool, fd: i32| if wanted { fd } else { -1 };
        let out_fd = out.chunk.map_or(-1, |(fd, _, _)| fd);
        let [first, second] = &readers.each;
        let mut fds = [
            Poll { fd: none(first.line.waiting, first.line.fd), events: POLLIN, happened: 0 },
            Poll { fd: none(second.line.waiting, second.line.fd), events: POLLIN, happened: 0 },
            Poll { fd: none(writer.waiting, writer.fd), events: POLLIN, happened: 0 },
            Poll { fd: none(input.from == input.to && !input.ended, 0), events: POLLIN, happened: 0 },
            Poll { fd: none(writing, out_fd), events: POLLOUT, happened: 0 },
        ];
        let time = if paused { pause } else { SIGN_OF_LIFE };
        match start::poll(&mut fds, Some(time)) {
            Ok(0) if paused => paused = false,
            Ok(0) if !writer.waiting => {
                let life = Request::Write { token, offset: input.offset, eof: false, bytes: &[] };
                if writer.ask(key, &life).is_err() {
                    hopeless(&writer)?;
                }
                continue;
            }
            Ok(_) | Err(start::EINTR) => {}
            Err(_) => return Err(Failed::System),
        }
        for n in 0..2 {
            if fds[n].happened == 0 {
                continue;
            }
            let reader = &mut readers.each[n];
            match reader.line.receive() {
                Ok(None) => {}
                Ok(Some(Response::Data { piece, chunks })) if piece == reader.piece => {
                    let length = chunks.len();
                    paused = hold == 0 && length == 0;
                    pause = if paused { (pause * 2).min(LONGEST_PAUSE) } else { FIRST_PAUSE };
                    readers.arrive(n, length);
                }
                Ok(Some(Response::Refused(text))) => return Err(refused(text, reason)),
                Ok(Some(_)) => return Err(Failed::Lost),
                Err(_) if n == 0 => hopeless(&reader.line)?,
                // What it was asked for is asked for again, by the other one if need be.
                Err(_) => {}
            }
        }
        if fds[2].happened != 0 {
            match writer.receive() {
                Ok(None) => {}
                Ok(Some(Response::Wrote(taken))) => {
                    let more = taken.saturating_sub(input.offset).min((input.to - input.from) as u64);
                    input.from += more as usize;
                    input.offset += more;
                    input.done = input.ended && input.from == input.to;
                    if more > 0 {
                        (pause, paused) = (FIRST_PAUSE, false);
                    }
                }
                Ok(Some(Response::Refused(text))) => return Err(refused(text, reason)),
                Ok(Some(_)) => return Err(Failed::Lost),
                Err(_) => hopeless(&writer)?,
            }
        }
        if fds[3].happened != 0 {
            match start::read(0, &mut input.bytes) {
                Ok(0) => input.ended = true,
                Ok(count) => (input.from, input.to) = (0, count),
                Err(start::EAGAIN | start::EINTR) => {}
                // A stdin that cannot be read has ended, as for ssh.
                Err(_) => input.ended = true,
            }
        }
        if fds[4].happened != 0 {
            out.write();
        }
    }
}

fn refused<'a>(text: &[u8], reason: &'a mut [u8]) -> Failed<'a> {
    let length = text.len().min(reason.len());
    reason[..length].copy_from_slice(&text[..length]);
    Failed::Refused(&reason[..length])
}

fn hopeless<'a>(line: &Line<'_>) -> Result<(), Failed<'a>> {
    if line.is_hopeless() { Err(Failed::Lost) } else { Ok(()) }
}

enum Answered {
    /// With the number of a [`Response::Pong`], or 0.
    Ok(u64),
    Refused(usize),
    Lost,
}

/// Asks until there is an answer, or no hope for one.
fn answered(line: &mut Line<'_>, key: &Key, request: &Request<'_>, reason: &mut [u8]) -> Answered {
    while !line.is_hopeless() {
        if line.ask(key, request).is_err() || line.wait(ANSWER_TIME).is_err() {
            continue;
        }
        match line.receive() {
            Ok(Some(Response::Opened)) => return Answered::Ok(0),
            Ok(Some(Response::Pong(number))) => return Answered::Ok(number),
            Ok(Some(Response::Refused(text))) => {
                let length = text.len().min(reason.len());
                reason[..length].copy_from_slice(&text[..length]);
                return Answered::Refused(length);
            }
            _ => return Answered::Lost,
        }
    }
    Answered::Lost
}
