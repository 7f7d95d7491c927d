#include "name_service.h"

#include <dlfcn.h>
#include <map>
#include <mutex>
#include <netdb.h>
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
  std::string literal;
  {
    const std::lock_guard lock(mutex());
    Entry& entry = entries()[name];
    ++entry.lookups;
    literal = entry.literal;
  }
  if (literal.empty()) return EAI_NONAME;
  return next(literal.c_str(), service, hints, found);
}
