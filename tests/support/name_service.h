// Names of the tests' own, for clients that ask the system.
#pragma once

#include <string>

namespace windlass::test {

/// From now on the system finds this name (one that ends in ".test") at this address, or at these, with blanks between;
/// an empty text: it does not.
void set_address(const std::string& name, const std::string& literal);
/// How often the system was asked for this name.
int lookups(const std::string& name);

}  // namespace windlass::test
