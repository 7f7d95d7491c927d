#include <cerrno>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include <windlass/error.h>

namespace windlass {
namespace {

TEST(Error, EachCodeHasAMessageOfItsOwn) {
  std::set<std::string> messages;
  for (int code = static_cast<int>(errc::closed); code <= static_cast<int>(errc::unknown_format); ++code) {
    const std::string message = make_error_code(static_cast<errc>(code)).message();
    EXPECT_EQ(message.find("unknown"), std::string::npos) << code;
    EXPECT_TRUE(messages.insert(message).second) << message;
  }
  EXPECT_EQ(make_error_code(static_cast<errc>(999)).message(), "unknown error 999");
  EXPECT_STREQ(error_category().name(), "windlass");
}

TEST(Error, OwnCodesAreClassifiedAsTheirCommentsSay) {
  EXPECT_EQ(classify(errc::rejected), ErrorClass::permanent);
  EXPECT_EQ(classify(errc::too_large), ErrorClass::permanent);
  EXPECT_EQ(classify(errc::throttled), ErrorClass::throttled);
  EXPECT_EQ(classify(errc::temporary), ErrorClass::retryable);
  EXPECT_EQ(classify(errc::abandoned), ErrorClass::retryable);
  for (const errc code :
       {errc::connect_failed, errc::connection_lost, errc::timeout, errc::no_progress, errc::protocol_error})
    EXPECT_EQ(classify(code), ErrorClass::connection_fatal);
}

TEST(Error, ASocketsErrorEndsTheConnection) {
  for (const std::errc code : {std::errc::connection_reset, std::errc::broken_pipe, std::errc::connection_refused})
    EXPECT_EQ(classify(make_error_code(code)), ErrorClass::connection_fatal);
  EXPECT_EQ(classify(std::error_code(ECONNRESET, std::system_category())), ErrorClass::connection_fatal);
}

TEST(Error, AFewErrorsOfTheSystemAreMilder) {
  EXPECT_EQ(classify(make_error_code(std::errc::resource_unavailable_try_again)), ErrorClass::throttled);
  EXPECT_EQ(classify(make_error_code(std::errc::no_buffer_space)), ErrorClass::throttled);
  EXPECT_EQ(classify(std::error_code(EAGAIN, std::system_category())), ErrorClass::throttled);
  EXPECT_EQ(classify(make_error_code(std::errc::invalid_argument)), ErrorClass::permanent);
  EXPECT_EQ(classify(std::error_code(EMSGSIZE, std::system_category())), ErrorClass::permanent);
}

TEST(Error, CodesOfAClientsOwnEndTheConnection) {
  struct : std::error_category {
    const char* name() const noexcept override { return "own"; }
    std::string message(int) const override { return "own"; }
  } own;
  EXPECT_EQ(classify({1, own}), ErrorClass::connection_fatal);
}

}  // namespace
}  // namespace windlass
