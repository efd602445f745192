global using EfPooling.EntityFrameworkCore.Tests.Harness;
global using Microsoft.EntityFrameworkCore;
