// A fake of git.exe: hands every call to the git of the Linux around Wine (git-for-wine.ts), and says what that said. In C,
// because each start of node.exe takes a quarter of a second under Wine.
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

static SOCKET linux_side;

static void give_up(const char *what) {
  fprintf(stderr, "git.exe: cannot %s the Linux side (%d)\n", what, WSAGetLastError());
  exit(125);
}

static void send_all(const void *bytes, int length) {
  for (const char *at = bytes; length > 0;) {
    int sent = send(linux_side, at, length, 0);
    if (sent <= 0) give_up("write to");
    at += sent, length -= sent;
  }
}

// False at the end.
static int receive_all(void *bytes, int length) {
  for (char *at = bytes; length > 0;) {
    int got = recv(linux_side, at, length, 0);
    if (got < 0) give_up("read from");
    if (got == 0) return 0;
    at += got, length -= got;
  }
  return 1;
}

// Both sides talk in frames: a letter for the kind, the length as 32 bits, the bytes.
static void send_frame(char kind, const void *bytes, unsigned length) {
  send_all(&kind, 1);
  send_all(&length, 4);
  send_all(bytes, length);
}

static void send_text(char kind, const wchar_t *text) {
  static char utf8[1 << 17];
  int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, sizeof utf8, NULL, NULL);
  if (length > 0) send_frame(kind, utf8, length - 1);
}

static void send_call(int argc, wchar_t **argv) {
  static wchar_t folder[1 << 15];
  GetCurrentDirectoryW(1 << 15, folder);
  send_text('c', folder);
  for (int index = 1; index < argc; index++) send_text('a', argv[index]);
  wchar_t *environment = GetEnvironmentStringsW();
  for (wchar_t *at = environment; *at; at += wcslen(at) + 1) send_text('e', at);
  static char input[1 << 16];
  DWORD length;
  while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), input, sizeof input, &length, NULL) && length > 0)
    send_frame('i', input, length);
  shutdown(linux_side, SD_SEND);
}

static int pass_answer_on(void) {
  char kind;
  unsigned length;
  while (receive_all(&kind, 1) && receive_all(&length, 4)) {
    char *bytes = calloc(length + 1, 1);
    if (!receive_all(bytes, length)) break;
    if (kind == 's') return atoi(bytes);
    HANDLE output = GetStdHandle(kind == 'o' ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
    DWORD written;
    for (unsigned done = 0; done < length; done += written)
      if (!WriteFile(output, bytes + done, length - done, &written, NULL)) break;
    free(bytes);
  }
  return 125;
}

int wmain(int argc, wchar_t **argv) {
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
  const char *port = getenv("GIT_FOR_WINE");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 0)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  linux_side = socket(AF_INET, SOCK_STREAM, 0);
  int at_once = 1;
  setsockopt(linux_side, IPPROTO_TCP, TCP_NODELAY, (const char *)&at_once, sizeof at_once);
  if (connect(linux_side, (struct sockaddr *)&address, sizeof address) != 0) give_up("reach");
  send_call(argc, argv);
  return pass_answer_on();
}
