// What the system knows of names: getaddrinfo, and the DNS servers of /etc/resolv.conf. These block.
#pragma once

#include <system_error>

#include "net/resolver.h"

namespace windlass::net {

/// A NameLookup. Reads /etc/resolv.conf anew each time; questions to DNS are tried again over TCP where an answer is
/// cut short. Errors are codes of lookup_category() for addresses, and DnsErrors for services.
std::error_code ask_system(const NameQuestion& question, NameAnswer& answer);

}  // namespace windlass::net
