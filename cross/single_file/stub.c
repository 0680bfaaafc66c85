// What a single-file porthole runs first: about 1 KB, freestanding, position-independent. `fuse.ts` puts it into a copy of the
// Deno executable, with the program and Deno's arguments behind it, and lets e_entry point here.
//
// The dynamic loader has done its work by then, and the stack holds
//
//     argc | argv[0] argv[1] ... 0 | environment ... 0 | auxiliary vector ... 0 0
//
// The stub writes the program into a file in memory, builds a second such block below the first,
//
//     argc' | argv[0] <Deno's arguments> /proc/self/fd/N argv[1] ... 0 | environment ... 0 | auxiliary vector ... 0 0
//
// and jumps to Deno's own entry with the stack pointer there. What must hold:
//  - the loader's exit function (x86-64: rdx, aarch64: x0) reaches Deno unchanged;
//  - the block begins at a multiple of 16, and what it points to lies above it, or Deno's calls overwrite it;
//  - nothing here needs relocation: the load address comes from where CONFIG is.
typedef unsigned long word;

enum { ROOM_BYTES = 131072, PATH_BYTES = 64 };

// Filled in by fuse.ts. Offsets count from here, which is also where the segment begins.
struct config {
  char magic[8];
  word address, entry, program, program_bytes, arguments, argument_count;
};
__attribute__((section(".config"), used)) volatile struct config CONFIG = {"PORTHOLE", 1, 1, 1, 1, 1, 1};

#if defined(__x86_64__)
enum { SYS_WRITE = 1, SYS_EXIT = 60, SYS_MEMFD_CREATE = 319 };
__asm__(".section .entry,\"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "  mov %rdx, %rbx\n"
        "  mov %rsp, %rdi\n"
        "  sub $131072, %rsp\n"
        "  mov %rsp, %rsi\n"
        "  lea CONFIG(%rip), %rdx\n"
        "  call rebuild\n"
        "  mov %rbx, %rdx\n"
        "  xor %ebx, %ebx\n"
        "  mov %rax, %rsp\n"
        "  jmp *-8(%rax)\n"
        ".text\n");
static long system_call(long number, word a, word b, word c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
enum { SYS_WRITE = 64, SYS_EXIT = 93, SYS_MEMFD_CREATE = 279 };
__asm__(".section .entry,\"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "  mov x19, x0\n"
        "  mov x0, sp\n"
        "  sub sp, sp, #131072\n"
        "  mov x1, sp\n"
        "  adr x2, CONFIG\n"
        "  bl rebuild\n"
        "  mov sp, x0\n"
        "  ldr x16, [x0, #-8]\n"
        "  mov x0, x19\n"
        "  br x16\n"
        ".text\n");
static long system_call(long number, word a, word b, word c) {
  register long x8 __asm__("x8") = number;
  register word x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return (long)x0;
}
#else
#error "Cannot build the stub: only x86-64 and aarch64 are known"
#endif

static void fail(const char *message, word bytes) {
  system_call(SYS_WRITE, 2, (word)message, bytes);
  system_call(SYS_EXIT, 1, 0, 0);
}
#define FAIL(text) fail("porthole: Cannot start: " text "\n", sizeof("porthole: Cannot start: " text "\n") - 1)

// A file in memory that this process alone can open, by its number; children do not inherit it.
static word file_with(const char *bytes, word count) {
  enum { MFD_CLOEXEC = 1 };
  const char name[] = "porthole.mjs";
  long file = system_call(SYS_MEMFD_CREATE, (word)name, MFD_CLOEXEC, 0);
  if (file < 0) FAIL("the kernel gives no file in memory (memfd_create)");
  while (count > 0) {
    long written = system_call(SYS_WRITE, (word)file, (word)bytes, count);
    if (written <= 0) FAIL("there is no memory for the program");
    bytes += written;
    count -= (word)written;
  }
  return (word)file;
}

static void write_path(char *path, word file) {
  const char folder[] = "/proc/self/fd/";
  for (word at = 0; at < sizeof folder - 1; at++) *path++ = folder[at];
  word unit = 1;
  while (file / unit >= 10) unit *= 10;
  for (; unit > 0; unit /= 10) *path++ = (char)('0' + file / unit % 10);
  *path = 0;
}

static word *copy(word *to, const word *from, word count) {
  for (word at = 0; at < count; at++) to[at] = from[at];
  return to + count;
}

// Returns the new block, in the ROOM_BYTES from `room` on; the word before it is the address of Deno's own entry.
__attribute__((used)) word *rebuild(const word *old, word *room, volatile const struct config *config) {
  const char *segment = (const char *)config;
  word argument_count = old[0], rest = 1 + argument_count + 1, end = rest;
  while (old[end]) end++; // environment
  end++;
  while (old[end]) end += 2; // auxiliary vector
  end += 2;

  word *top = room + (ROOM_BYTES - PATH_BYTES) / sizeof(word);
  word words = end + config->argument_count + 1;
  if (words > (word)(top - room) / 2) FAIL("too many arguments");
  write_path((char *)top, file_with(segment + config->program, config->program_bytes));

  word *block = (word *)(((word)top - (words + 2) * sizeof(word)) & ~(word)15);
  word *to = block;
  *to++ = argument_count + config->argument_count + 1;
  *to++ = old[1];
  const char *argument = segment + config->arguments;
  for (word at = 0; at < config->argument_count; at++) {
    *to++ = (word)argument;
    while (*argument++) continue;
  }
  *to++ = (word)top;
  copy(to, old + 2, end - 2);
  block[-1] = (word)config - config->address + config->entry;
  return block;
}
