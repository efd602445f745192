namespace EfPooling.Analyzers.Symbols;

/// <summary>
/// The methods of ASP.NET Core Identity's <c>UserManager</c>, <c>RoleManager</c> and <c>SignInManager</c> that go to the store. Others read the user that they are
/// given (<c>GetEmailAsync</c>), or compute (<c>GenerateUserTokenAsync</c>).
/// </summary>
internal static class ManagerOperations
{
    private static readonly HashSet<string> Queries = new(StringComparer.Ordinal)
    {
        "FindById", "FindByName", "FindByEmail", "FindByLogin", "FindByPasskeyId", "GetUser", "GetRoles", "IsInRole", "GetClaims", "GetLogins", "GetUsersInRole", "GetUsersForClaim",
        "GetAuthenticationToken", "GetAuthenticatorKey", "CountRecoveryCodes", "RoleExists", "GetTwoFactorAuthenticationUser", "CreateUserPrincipal", "ValidateSecurityStamp", "GetPasskeys", "GetPasskey",
    };

    private static readonly HashSet<string> Commands = new(StringComparer.Ordinal)
    {
        "Create", "Update", "Delete", "AddClaim", "AddClaims", "ReplaceClaim", "RemoveClaim", "RemoveClaims", "AddLogin", "RemoveLogin", "AddPassword", "ChangePassword", "ResetPassword", "RemovePassword",
        "AddToRole", "AddToRoles", "RemoveFromRole", "RemoveFromRoles", "SetEmail", "ChangeEmail", "ConfirmEmail", "SetUserName", "SetPhoneNumber", "ChangePhoneNumber", "SetTwoFactorEnabled",
        "SetLockoutEnabled", "SetLockoutEndDate", "AccessFailed", "ResetAccessFailedCount", "UpdateSecurityStamp", "SetAuthenticationToken", "RemoveAuthenticationToken", "ResetAuthenticatorKey",
        "GenerateNewTwoFactorRecoveryCodes", "RedeemTwoFactorRecoveryCode", "PasswordSignIn", "CheckPasswordSignIn", "ExternalLoginSignIn", "TwoFactorSignIn", "TwoFactorAuthenticatorSignIn",
        "TwoFactorRecoveryCodeSignIn", "RefreshSignIn", "SignIn", "AddOrUpdatePasskey", "RemovePasskey",
    };

    /// <param name="name">The method, without Async.</param>
    public static DbOperationKind KindOf(string name) => Queries.Contains(name) ? DbOperationKind.Query : Commands.Contains(name) ? DbOperationKind.Command : DbOperationKind.None;
}
