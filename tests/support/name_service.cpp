#include "support/name_service.h"

#include <dlfcn.h>
#include <map>
#include <mutex>
#include <netdb.h>
#include <sstream>
#include <string_view>

namespace {

struct Entry {
  std::string literal;
  int lookups = 0;
};

std::mutex& mutex() {
  static std::mutex instance;
  return instance;
}
std::map<std::string, Entry>& entries() {
  static std::map<std::string, Entry> instance;
  return instance;
}

}  // namespace

namespace windlass::test {

void set_address(const std::string& name, const std::string& literal) {
  const std::lock_guard lock(mutex());
  entries()[name].literal = literal;
}

int lookups(const std::string& name) {
  const std::lock_guard lock(mutex());
  return entries()[name].lookups;
}

}  // namespace windlass::test

/// In front of the C library's: names that end in ".test" are ours, which no real name service knows (RFC 6761).
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (!name || !std::string_view(name).ends_with(".test")) return next(name, service, hints, found);
  if (hints && (hints->ai_flags & AI_NUMERICHOST) != 0) return EAI_NONAME;
  std::string literal;
  {
    const std::lock_guard lock(mutex());
    Entry& entry = entries()[name];
    ++entry.lookups;
    literal = entry.literal;
  }
  if (literal.empty()) return EAI_NONAME;
  // Of several, each is asked for by itself, and the answers are joined as freeaddrinfo takes them.
  *found = nullptr;
  std::istringstream literals(literal);
  for (std::string one; literals >> one;) {
    while (*found) found = &(*found)->ai_next;
    if (const int error = next(one.c_str(), service, hints, found); error != 0) return error;
  }
  return 0;
}
