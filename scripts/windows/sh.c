/*
 * sh.exe for scripts/test-windows: a stand-in for the shell that Git for Windows brings, which cannot be built without its
 * own POSIX layer. It runs one simple command:
 *   sh -c COMMAND [NAME ARGUMENT...]   as git and git-lfs start filters and agents
 *   sh HOOK [ARGUMENT...]              as git starts hooks; of the file, the line that begins with "git lfs" is run
 * Words are split and quoted as POSIX says (XCU 2.2): '…', "…" with \ before \ " $ and `, and \x outside. "$@" stands for the
 * arguments. Its own command line is split as MSYS2's runtime does it for the real one: git doubles backslashes for that, and
 * git-lfs does not. Whatever else is special to a shell is refused, never passed on: then a test fails instead of proving nothing.
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum { LIMIT = 32768 }; /* what Windows allows a command line */
static wchar_t line[LIMIT];
static size_t length;

static void fail(const wchar_t *why, const wchar_t *what)
{
	fwprintf(stderr, L"sh.exe (stand-in): %ls: %ls\n", why, what);
	exit(127);
}

static void put(wchar_t c)
{
	if (length >= LIMIT - 1)
		fail(L"too long", line);
	line[length++] = c;
}

/* Appends a word to the command line such that the C runtime of the program reads it back the same. */
static void add_word(const wchar_t *word)
{
	size_t backslashes = 0;
	if (length)
		put(L' ');
	put(L'"');
	for (; *word; word++) {
		if (*word == L'\\') {
			backslashes++;
		} else {
			if (*word == L'"')
				for (backslashes++; backslashes; backslashes--)
					put(L'\\');
			backslashes = 0;
		}
		put(*word);
	}
	for (; backslashes; backslashes--)
		put(L'\\');
	put(L'"');
}

static void parse(const wchar_t *s, int argc, wchar_t **argv)
{
	static wchar_t word[LIMIT];
	const wchar_t *whole = s;
	size_t n = 0;
	int in_word = 0;
	for (;; s++) {
		if (!*s || wcschr(L" \t\r\n", *s)) {
			if (in_word) {
				word[n] = 0;
				add_word(word);
			}
			n = in_word = 0;
			if (!*s)
				return;
			continue;
		}
		if (!wcsncmp(s, L"\"$@\"", 4)) {
			for (int i = 0; i < argc; i++)
				add_word(argv[i]);
			s += 3;
			continue;
		}
		in_word = 1;
		if (*s == L'\'') {
			for (s++; *s && *s != L'\''; s++)
				word[n++] = *s;
			if (!*s)
				fail(L"a ' is not closed", whole);
		} else if (*s == L'"') {
			for (s++; *s && *s != L'"'; s++) {
				if (*s == L'$' || *s == L'`')
					fail(L"no expansions", whole);
				if (*s == L'\\' && s[1] && wcschr(L"\\\"$`", s[1]))
					s++;
				word[n++] = *s;
			}
			if (!*s)
				fail(L"a \" is not closed", whole);
		} else if (*s == L'\\' && s[1]) {
			word[n++] = *++s;
		} else if (wcschr(L"|&;<>()$`*?[#", *s) || (*s == L'~' && !n)) {
			fail(L"only one simple command", whole);
		} else {
			word[n++] = *s;
		}
	}
}

static const wchar_t *line_of_hook(const wchar_t *path)
{
	static wchar_t found[4096];
	char text[2048];
	FILE *file = _wfopen(path, L"r");
	if (!file)
		fail(L"no such file", path);
	while (fgets(text, sizeof text, file))
		if (!strncmp(text, "git lfs ", 8))
			MultiByteToWideChar(CP_UTF8, 0, text, -1, found, 4096);
	fclose(file);
	if (!*found)
		fail(L"no line that begins with 'git lfs'", path);
	return found;
}

/* Within "…", \\ is \ and \" is ", wherever they stand; Microsoft's C runtime would leave most backslashes alone. */
static int split_as_msys2(const wchar_t *s, wchar_t **words, int most)
{
	static wchar_t text[2 * LIMIT];
	wchar_t *out = text;
	int count = 0;
	while (count < most) {
		while (*s == L' ' || *s == L'\t')
			s++;
		if (!*s)
			return count;
		words[count++] = out;
		for (int quoted = 0; *s && (quoted || (*s != L' ' && *s != L'\t')); s++) {
			if (*s == L'"') {
				quoted = !quoted;
				continue;
			}
			if (quoted && *s == L'\\' && (s[1] == L'\\' || s[1] == L'"'))
				s++;
			*out++ = *s;
		}
		*out++ = 0;
	}
	fail(L"too many words", s);
	return 0;
}

int wmain(void)
{
	static wchar_t *argv[LIMIT / 2];
	int argc = split_as_msys2(GetCommandLineW(), argv, LIMIT / 2);
	STARTUPINFOW start = { sizeof start };
	PROCESS_INFORMATION process;
	DWORD status;
	if (argc >= 3 && !wcscmp(argv[1], L"-c"))
		parse(argv[2], argc - 4, argv + 4);
	else if (argc >= 2)
		parse(line_of_hook(argv[1]), argc - 2, argv + 2);
	else
		fail(L"usage", L"sh -c COMMAND, or sh FILE");
	start.dwFlags = STARTF_USESTDHANDLES;
	start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
	start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
	start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
	if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process))
		fail(L"cannot run", line);
	WaitForSingleObject(process.hProcess, INFINITE);
	GetExitCodeProcess(process.hProcess, &status);
	return status;
}
