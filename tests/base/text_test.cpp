#include "base/text.h"

#include <gtest/gtest.h>

namespace windlass::base {
namespace {

TEST(Text, LowersTheLettersOfAsciiAlone) {
  EXPECT_EQ(to_lower("AZaz09-_@[`{"), "azaz09-_@[`{");
  EXPECT_EQ(to_lower("\xc3\x84 \xff"), "\xc3\x84 \xff") << "no byte of UTF-8 is touched";
}

TEST(Text, IsEqualInAnyCase) {
  EXPECT_TRUE(equal_in_any_case("Content-Type", "content-tYPE"));
  EXPECT_FALSE(equal_in_any_case("content-type", "content-types"));
  EXPECT_FALSE(equal_in_any_case("@", "`")) << "they differ by the same bit as a letter from its other case";
}

}  // namespace
}  // namespace windlass::base
