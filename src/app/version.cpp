#include "app/version.h"

#include <boost/version.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include "app/exit_code.h"

namespace windlass::app {

std::string version_text() {
  return fmt::format("windlass {}\n{}\nBoost {}.{}.{}\n", WINDLASS_VERSION, OpenSSL_version(OPENSSL_VERSION),
                     BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
}

int run_version() {
  fmt::print("{}", version_text());
  return exit_all_acked;
}

}  // namespace windlass::app
