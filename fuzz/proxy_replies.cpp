// A proxy that says anything, in any pieces: the same is concluded as from the whole, and what is left for the tunnel
// is the same.
//
// Input: the kind, and whether there is a password (a byte, modulo 4); cuts; what the proxy says.
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "input.h"
#include "protocol/proxy_client.h"

namespace {

using windlass::fuzz::Input;
using windlass::fuzz::require;
using windlass::protocol::ProxyClient;

using Outcome = std::tuple<bool, std::string, std::string, std::size_t>;  // done, error, what was said, bytes taken

Outcome hear(const ProxyClient::Options& options, std::string_view bytes, const std::vector<std::uint8_t>& cuts) {
  ProxyClient client(options);
  std::size_t taken = 0;
  std::string said = std::exchange(client.output(), {});
  windlass::fuzz::in_pieces(bytes, cuts, [&](std::string_view piece) {
    const std::size_t count = client.receive(piece);
    require(count <= piece.size(), "not more than there was");
    require(count == piece.size() || client.done() || client.error(), "all is taken until the end");
    require(static_cast<bool>(client.error()) != client.error_detail().empty(), "an error needs its reason");
    require(!(client.done() && client.error()), "one of both");
    taken += count;
    require(taken <= ProxyClient::max_bytes, "there is a limit");
    said += std::exchange(client.output(), {});
    return !client.done() && !client.error();
  });
  return {client.done(), client.error_detail(), said, taken};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::uint8_t choice = input.byte();
  ProxyClient::Options options;
  options.kind = choice % 2 == 0 ? ProxyClient::Kind::http : ProxyClient::Kind::socks5;
  options.host = "host";
  options.port = 5044;
  if (choice % 4 >= 2) {
    options.user = "user";
    options.password = "password";
    options.authorization = "Basic dXNlcjpwYXNzd29yZA==";
  }
  const auto cuts = input.cuts();
  require(hear(options, input.rest(), cuts) == hear(options, input.rest(), {}), "cuts change nothing");
  return 0;
}
