//! The start-up of the guest and its system calls: the only `unsafe` of the guest. Everything
//! else asks through the safe functions here.
//!
//! No libc: the numbers are those of the kernel's own tables (arch/x86/entry/syscalls,
//! include/uapi/asm-generic/unistd.h), and are never reused for something else.
//!
//! Over 400 lines: all `unsafe` of the guest stays in one file, for two architectures.

use core::arch::{asm, global_asm};

// The kernel enters with the stack pointer at the number of arguments, behind which the
// arguments and the environment stand (System V ABI, "Process Initialization").
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {entry}",
    "ud2",
    entry = sym entry,
);
#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, xzr",
    "mov x30, xzr",
    "mov x0, sp",
    "bl {entry}",
    "brk #1",
    entry = sym entry,
);

#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const READ: usize = 0;
    pub(super) const CLOSE: usize = 3;
    pub(super) const SOCKET: usize = 41;
    pub(super) const CONNECT: usize = 42;
    pub(super) const FCNTL: usize = 72;
    pub(super) const SENDTO: usize = 44;
    pub(super) const RECVFROM: usize = 45;
    pub(super) const WRITE: usize = 1;
    pub(super) const EXECVE: usize = 59;
    pub(super) const EXIT_GROUP: usize = 231;
    pub(super) const PPOLL: usize = 271;
    pub(super) const GETRANDOM: usize = 318;
    pub(super) const STATX: usize = 332;
    pub(super) const OPENAT: usize = 257;
}
#[cfg(target_arch = "aarch64")]
mod number {
    pub(super) const READ: usize = 63;
    pub(super) const CLOSE: usize = 57;
    pub(super) const SOCKET: usize = 198;
    pub(super) const CONNECT: usize = 203;
    pub(super) const FCNTL: usize = 25;
    pub(super) const SENDTO: usize = 206;
    pub(super) const RECVFROM: usize = 207;
    pub(super) const WRITE: usize = 64;
    pub(super) const EXECVE: usize = 221;
    pub(super) const EXIT_GROUP: usize = 94;
    pub(super) const PPOLL: usize = 73;
    pub(super) const GETRANDOM: usize = 278;
    pub(super) const STATX: usize = 291;
    pub(super) const OPENAT: usize = 56;
}

/// An error number of the kernel (errno(3)).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) usize);

pub(crate) const EINTR: Errno = Errno(4);
pub(crate) const EAGAIN: Errno = Errno(11);

/// poll(2): there is data to read, or room to write.
pub(crate) const POLLIN: i16 = 1;
pub(crate) const POLLOUT: i16 = 4;

/// `struct pollfd` (poll(2)). A negative descriptor is passed over.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Poll {
    pub(crate) fd: i32,
    pub(crate) events: i16,
    pub(crate) happened: i16,
}

/// # Safety
/// The arguments must be what the system call of this number takes: pointers that are valid
/// for as long as it runs and for as many bytes as it may touch.
#[cfg(target_arch = "x86_64")]
unsafe fn call(number: usize, a: [usize; 6]) -> Result<usize, Errno> {
    let result: usize;
    // SAFETY: the caller answers for the arguments; the kernel clobbers rcx and r11 alone.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], in("r9") a[5], lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    answer(result)
}

/// # Safety
/// As for the other architecture.
#[cfg(target_arch = "aarch64")]
unsafe fn call(number: usize, a: [usize; 6]) -> Result<usize, Errno> {
    let result: usize;
    // SAFETY: the caller answers for the arguments; the kernel clobbers x0 alone.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a[0] => result, in("x1") a[1], in("x2") a[2],
            in("x3") a[3], in("x4") a[4], in("x5") a[5], options(nostack));
    }
    answer(result)
}

fn answer(result: usize) -> Result<usize, Errno> {
    // The kernel returns -errno, and no errno is over 4095.
    if result > usize::MAX - 4096 { Err(Errno(result.wrapping_neg())) } else { Ok(result) }
}

/// The arguments and the environment, as the kernel put them on the stack. They stay there
/// for as long as the process lives.
#[derive(Clone, Copy)]
pub(crate) struct Process {
    count: usize,
    args: *const *const u8,
}

impl Process {
    pub(crate) fn count(self) -> usize {
        self.count
    }

    /// The n-th argument, 0 being the program's name; empty past the last.
    pub(crate) fn arg(self, n: usize) -> &'static [u8] {
        // SAFETY: the kernel put `count` pointers there, each at a string that ends in a NUL.
        if n < self.count { unsafe { string(*self.args.add(n)) } } else { b"" }
    }

    /// A variable of the environment.
    pub(crate) fn variable(self, name: &[u8]) -> Option<&'static [u8]> {
        let mut n = 0;
        loop {
            // SAFETY: behind the arguments and a null pointer stand the variables, up to
            // another null pointer, at which this ends.
            let text = unsafe {
                let at = *self.environment().add(n);
                if at.is_null() {
                    return None;
                }
                string(at)
            };
            if let Some(value) = text.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"=")) {
                return Some(value);
            }
            n += 1;
        }
    }

    fn environment(self) -> *const *const u8 {
        // SAFETY: one past the null pointer that ends the arguments.
        unsafe { self.args.add(self.count + 1) }
    }
}

/// # Safety
/// `at` must be a string that ends in a NUL and stays for ever.
unsafe fn string(at: *const u8) -> &'static [u8] {
    let mut length = 0;
    // SAFETY: the caller's promise: every byte up to the NUL can be read, for ever.
    unsafe {
        while *at.add(length) != 0 {
            length += 1;
        }
        core::slice::from_raw_parts(at, length)
    }
}

extern "C" fn entry(stack: *const usize) -> ! {
    // SAFETY: `_start` passes the stack pointer that the kernel entered with.
    let process = unsafe { Process { count: *stack, args: stack.add(1).cast() } };
    exit(crate::run(process))
}

pub(crate) fn exit(status: u8) -> ! {
    loop {
        // SAFETY: takes a number and does not return.
        let _ = unsafe { call(number::EXIT_GROUP, [usize::from(status), 0, 0, 0, 0, 0]) };
    }
}

pub(crate) fn read(fd: i32, bytes: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most `bytes.len()` bytes to it.
    unsafe { call(number::READ, [fd as usize, bytes.as_mut_ptr() as usize, bytes.len(), 0, 0, 0]) }
}

pub(crate) fn write(fd: i32, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel reads at most `bytes.len()` bytes of it.
    unsafe { call(number::WRITE, [fd as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0]) }
}

/// Sends on a socket, without the signal that a closed one causes.
pub(crate) fn send(fd: i32, bytes: &[u8]) -> Result<usize, Errno> {
    const MSG_NOSIGNAL: usize = 0x4000;
    // SAFETY: the kernel reads at most `bytes.len()` bytes of it; there is no address.
    unsafe { call(number::SENDTO, [fd as usize, bytes.as_ptr() as usize, bytes.len(), MSG_NOSIGNAL, 0, 0]) }
}

/// Receives what is there, and does not wait.
pub(crate) fn receive(fd: i32, bytes: &mut [u8]) -> Result<usize, Errno> {
    const MSG_DONTWAIT: usize = 0x40;
    // SAFETY: the kernel writes at most `bytes.len()` bytes to it; no address is asked for.
    unsafe { call(number::RECVFROM, [fd as usize, bytes.as_mut_ptr() as usize, bytes.len(), MSG_DONTWAIT, 0, 0]) }
}

pub(crate) fn close(fd: i32) {
    // SAFETY: takes a number.
    let _ = unsafe { call(number::CLOSE, [fd as usize, 0, 0, 0, 0, 0]) };
}

/// Waits until something happens, or for so many milliseconds; without a number for ever.
pub(crate) fn poll(fds: &mut [Poll], milliseconds: Option<u64>) -> Result<usize, Errno> {
    let time = milliseconds.map(|milliseconds| [milliseconds / 1000, milliseconds % 1000 * 1_000_000]);
    let time = time.as_ref().map_or(0, |time| time.as_ptr() as usize);
    // SAFETY: `fds` is an array of `struct pollfd`, `time` null or a `struct timespec` of two
    // 64-bit numbers that lives until the call returns; there is no signal mask.
    unsafe { call(number::PPOLL, [fds.as_mut_ptr() as usize, fds.len(), time, 0, 0, 0]) }
}

/// Who started us may have closed stdin, stdout or stderr: their places stay empty, or what is
/// meant for them would go elsewhere, into the tunnel among others.
fn behind_standard(fd: usize) -> Result<usize, Errno> {
    const F_DUPFD_CLOEXEC: usize = 1030;
    if fd > 2 {
        return Ok(fd);
    }
    // SAFETY: takes numbers.
    let moved = unsafe { call(number::FCNTL, [fd, F_DUPFD_CLOEXEC, 3, 0, 0, 0]) };
    close(fd as i32);
    moved
}

/// Connects to a Unix socket.
pub(crate) fn connect(path: &[u8]) -> Result<i32, Errno> {
    const AF_UNIX: usize = 1;
    const SOCK_STREAM_CLOEXEC: usize = 0o2000001;
    const ENAMETOOLONG: Errno = Errno(36);
    // `struct sockaddr_un`: the family in the machine's byte order, and the path with its NUL.
    let mut address = [0u8; 110];
    if path.len() > 107 {
        return Err(ENAMETOOLONG);
    }
    address[..2].copy_from_slice(&1u16.to_ne_bytes());
    address[2..2 + path.len()].copy_from_slice(path);
    // SAFETY: takes numbers.
    let fd = behind_standard(unsafe { call(number::SOCKET, [AF_UNIX, SOCK_STREAM_CLOEXEC, 0, 0, 0, 0])? })?;
    // SAFETY: the kernel reads `address`, as many bytes as the length says, and it is longer.
    let connected = unsafe { call(number::CONNECT, [fd, address.as_ptr() as usize, 2 + path.len() + 1, 0, 0, 0]) };
    match connected {
        Ok(_) => Ok(fd as i32),
        Err(error) => {
            close(fd as i32);
            Err(error)
        }
    }
}

pub(crate) fn random(bytes: &mut [u8; 16]) -> Result<(), Errno> {
    // SAFETY: the kernel writes at most sixteen bytes; so few always come at once.
    unsafe { call(number::GETRANDOM, [bytes.as_mut_ptr() as usize, bytes.len(), 0, 0, 0, 0]) }.map(|_| ())
}

/// Device, inode, size and permission bits of a file.
pub(crate) struct File {
    pub(crate) place: [u64; 2],
    pub(crate) size: u64,
    pub(crate) mode: u16,
}

/// Looks at a file (statx(2)), links followed. The path ends in a NUL.
pub(crate) fn file(path_with_nul: &[u8]) -> Option<File> {
    const AT_FDCWD: usize = -100isize as usize;
    const STATX_BASIC_STATS: usize = 0x7ff;
    let mut answer = [0u64; 32];
    if path_with_nul.last() != Some(&0) {
        return None;
    }
    // SAFETY: the path ends in a NUL; `answer` is as large and as aligned as `struct statx`.
    unsafe {
        let at = path_with_nul.as_ptr() as usize;
        call(number::STATX, [AT_FDCWD, at, 0, STATX_BASIC_STATS, answer.as_mut_ptr() as usize, 0]).ok()?;
    }
    // stx_mode is the 16-bit number at byte 28, stx_ino at byte 32, stx_size at byte 40, stx_dev
    // at byte 136.
    Some(File { place: [answer[17], answer[4]], size: answer[5], mode: (answer[3] >> 32) as u16 })
}

/// Opens the pipe behind the descriptor `fd` once more, so that writes to it never wait. What
/// `O_NONBLOCK` is set on is shared with whoever else holds the pipe, who did not ask for it;
/// the second opening is ours alone. `None` where it is no pipe, or cannot be opened.
pub(crate) fn own_pipe(fd: i32) -> Option<i32> {
    const AT_FDCWD: usize = -100isize as usize;
    const O_WRONLY_NONBLOCK_CLOEXEC: usize = 0o1 | 0o4000 | 0o2000000;
    const S_IFMT: u16 = 0o170000;
    const S_IFIFO: u16 = 0o010000;
    let path: &[u8] = if fd == 1 { b"/proc/self/fd/1\0" } else { b"/proc/self/fd/2\0" };
    if file(path)?.mode & S_IFMT != S_IFIFO {
        return None;
    }
    // SAFETY: the path ends in a NUL.
    let opened = unsafe { call(number::OPENAT, [AT_FDCWD, path.as_ptr() as usize, O_WRONLY_NONBLOCK_CLOEXEC, 0, 0, 0]) };
    opened.and_then(behind_standard).ok().map(|fd| fd as i32)
}

/// Becomes another program with our arguments and environment. Returns where that failed.
pub(crate) fn become_program(process: Process, path_with_nul: &[u8]) {
    if path_with_nul.last() == Some(&0) {
        // SAFETY: the path ends in a NUL; arguments and environment are the kernel's own arrays.
        let _ = unsafe {
            let (args, environment) = (process.args as usize, process.environment() as usize);
            call(number::EXECVE, [path_with_nul.as_ptr() as usize, args, environment, 0, 0, 0])
        };
    }
}

/// What the compiler calls for copies and comparisons, where there is no libc. `rep movsb` and
/// plain loops: volatile accesses keep the compiler from turning a loop into a call of itself.
mod memory {
    /// # Safety
    /// As memcpy(3).
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller's promise, and the direction flag is clear by the ABI.
        unsafe {
            core::arch::asm!("rep movsb", inout("rcx") length => _, inout("rdi") to => _, inout("rsi") from => _,
                options(nostack, preserves_flags));
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let mut n = 0;
            while n + 8 <= length {
                // SAFETY: the caller's promise: both are valid for `length` bytes.
                unsafe { to.add(n).cast::<u64>().write_unaligned(from.add(n).cast::<u64>().read_unaligned()) };
                core::hint::black_box(());
                n += 8;
            }
            while n < length {
                // SAFETY: as above.
                unsafe { to.add(n).write_volatile(*from.add(n)) };
                n += 1;
            }
        }
        to
    }

    /// # Safety
    /// As memmove(3).
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
        if (to as usize).wrapping_sub(from as usize) >= length {
            // SAFETY: a copy from front to back reads every byte before it writes over it.
            return unsafe { memcpy(to, from, length) };
        }
        let mut n = length;
        while n > 0 {
            n -= 1;
            // SAFETY: the caller's promise: both are valid for `length` bytes.
            unsafe { to.add(n).write_volatile(*from.add(n)) };
        }
        to
    }

    /// # Safety
    /// As memset(3).
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, value: i32, length: usize) -> *mut u8 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller's promise, and the direction flag is clear by the ABI.
        unsafe {
            core::arch::asm!("rep stosb", inout("rcx") length => _, inout("rdi") to => _, in("al") value as u8,
                options(nostack, preserves_flags));
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let mut n = 0;
            while n < length {
                // SAFETY: the caller's promise: valid for `length` bytes.
                unsafe { to.add(n).write_volatile(value as u8) };
                n += 1;
            }
        }
        to
    }

    /// # Safety
    /// As memcmp(3).
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
        let mut n = 0;
        while n < length {
            // SAFETY: the caller's promise: both are valid for `length` bytes.
            let (x, y) = unsafe { (a.add(n).read_volatile(), b.add(n).read_volatile()) };
            if x != y {
                return i32::from(x) - i32::from(y);
            }
            n += 1;
        }
        0
    }

    /// # Safety
    /// As bcmp(3).
    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
        // SAFETY: the caller's promise is the same.
        unsafe { memcmp(a, b, length) }
    }

    /// # Safety
    /// As strlen(3).
    #[unsafe(no_mangle)]
    unsafe extern "C" fn strlen(text: *const u8) -> usize {
        let mut length = 0;
        // SAFETY: the caller's promise: every byte up to the NUL can be read.
        while unsafe { text.add(length).read_volatile() } != 0 {
            length += 1;
        }
        length
    }

    /// The compiled `core` names it in tables for unwinding, which a panic here never begins.
    #[unsafe(no_mangle)]
    extern "C" fn rust_eh_personality() {}
}
