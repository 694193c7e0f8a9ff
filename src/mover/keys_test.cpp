#include "mover/keys.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace godwit::mover {
namespace {

constexpr const char* kEd25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm";

TEST(Keys, NormalisesLineEndsAndTheFinalNewline) {
  EXPECT_EQ(normaliseKey("a\r\nb\r\n"), "a\nb\n");
  EXPECT_EQ(normaliseKey("  \n a\nb"), "a\nb\n");
  EXPECT_EQ(normaliseKey("a\n\n\n"), "a\n");
  EXPECT_EQ(normaliseKey("a \t\r\nb c\n\nd"), "a\nb c\n\nd\n");
  EXPECT_EQ(normaliseKey(""), "\n");
}

TEST(Keys, TakesAPublicKeyWithoutItsComment) {
  const auto key = publicKey(fmt::format("ssh-ed25519 {} me@host \",command\r\n", kEd25519), "source.pub");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(*key, fmt::format("ssh-ed25519 {}\n", kEd25519));
  EXPECT_TRUE(publicKey("ecdsa-sha2-nistp256   AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAABeA==", "f").ok());
  EXPECT_TRUE(
      publicKey("sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAA3h4eAAAAARzc2g6", "f").ok());
}

TEST(Keys, RefusesWhatIsNotOnePublicKey) {
  for (const auto* text : {"", "\n", "ssh-rsa", "ssh-rsa AAA\nssh-rsa BBB", "command=\"x\" ssh-rsa AAAA",
                           "ssh-rsa A\"B", "* ssh-rsa AAAA"}) {
    const auto key = publicKey(text, "source.pub");
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_NE(key.error().message.find("source.pub"), std::string::npos);
  }
}

TEST(Keys, RefusesAPublicKeyThatIsNotWhole) {
  const std::string whole = kEd25519;
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(publicKey("ssh-ed25519 " + whole.substr(0, n), "f").ok()) << n;
  EXPECT_FALSE(publicKey("ssh-rsa " + whole, "f").ok()) << "another type";
  EXPECT_FALSE(publicKey("ssh-ed25519 " + whole + "AAAA", "f").ok());
}

TEST(Keys, TellsAnEncryptedKeyFromADamagedOne) {
  const auto key = [](const std::string& body) {
    return privateKey("-----BEGIN OPENSSH PRIVATE KEY-----\n" + body + "\n-----END OPENSSH PRIVATE KEY-----\n",
                      "source");
  };
  EXPECT_TRUE(key("b3BlbnNzaC1r\r\nZXktdjEAAAAABG5vbmU=").ok());
  EXPECT_NE(key("b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHI=").error().message.find("passphrase"), std::string::npos);
  for (const auto* body : {"", "b3Blb", "AAAA", "b3BlbnNzaC1r*XktdjEAAAAABG5vbmU="})
    EXPECT_NE(key(body).error().message.find("damaged"), std::string::npos) << body;
}

TEST(Keys, RefusesPrivateKeysItCannotUseWithoutQuotingThem) {
  EXPECT_TRUE(privateKey("-----BEGIN EC PRIVATE KEY-----\r\nAAA\r\n-----END EC PRIVATE KEY-----", "source").ok());
  for (const auto* text :
       {"SECRET", "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nSECRET\n-----END RSA PRIVATE KEY-----"}) {
    const auto key = privateKey(text, "source");
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().message.find("SECRET"), std::string::npos);
    EXPECT_NE(key.error().message.find("source"), std::string::npos);
  }
}

TEST(Keys, NamesTheMissingField) {
  const auto text = readKeyField("/nonexistent", "destination.pub");
  ASSERT_TRUE(text.is(Errc::NotFound));
  EXPECT_NE(text.error().message.find("destination.pub"), std::string::npos);
}

}  // namespace
}  // namespace godwit::mover
