/*!40101 SET x='a;b' */;
CREATE USER `a`@`%` IDENTIFIED BY 'x\'';
# c;
